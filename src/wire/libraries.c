/* What `isari -vv` says of jansson and libyaml. */
#include "wire/libraries.h"
#include <jansson.h>
#include <yaml.h>

void wire_libraries(struct buf *out)
{
	buf_printf(out, "jansson %s\nlibyaml %s\n", jansson_version_str(),
		   yaml_get_version_string());
}

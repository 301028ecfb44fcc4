/* What `isari -vv` says of libuv and libcurl. */
#include "io/libraries.h"
#include <curl/curl.h>
#include <uv.h>

void io_libraries(struct buf *out)
{
	buf_printf(out, "libuv %s\n%s\n", uv_version_string(), curl_version());
}

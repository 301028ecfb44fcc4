/* What `isari -vv` says of libuv, libcurl and libpq. */
#include "io/libraries.h"
#include <curl/curl.h>
#include <libpq-fe.h>
#include <uv.h>

void io_libraries(struct buf *out)
{
	int pq = PQlibVersion(); /* 150020 is 15.20 */

	buf_printf(out, "libuv %s\n%s\nlibpq %d.%d\n", uv_version_string(), curl_version(),
		   pq / 10000, pq % 10000);
}

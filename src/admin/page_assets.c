/* The files that belong to the status page, carried in the binary: the build turns each into a
 * string (page.css, page.js, page.svg beside this file). */
#include "admin/status_page.h"

const char status_css[] =
#include "page.css.inc"
	;

const char status_js[] =
#include "page.js.inc"
	;

const char status_icon[] =
#include "page.svg.inc"
	;

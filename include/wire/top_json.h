#pragma once
/* isari's own JSON read back, for `isari top`. What is missing, of another type or unknown is "not
 * said"; only text that is no such JSON at all is refused, and changes nothing. */
#include "wire/top_model.h"

/* The reply to `show clusters json`, to `show events json`: 0 or -EBADMSG. */
int top_json_clusters(struct top_model *m, const char *text, size_t len);
int top_json_events(struct top_model *m, const char *text, size_t len);
/* The reply to `show info`: "Name: value" in lines. */
void top_json_info(struct top_model *m, const char *text, size_t len);

#pragma once
/* Text between the quotes of JSON, as pure ASCII: what reads our log, our replies and our pages
 * never meets a byte that is none. Bytes that are no UTF-8 become U+FFFD. */
#include "base/buf.h"
#include <stdbool.h>

/* Stands for itself between quotes. */
bool json_text_is_plain(char c);

enum { JSON_TEXT_ONE_BYTES = 13 };
/* The character at `s` as it is written, in `out`; returns how many bytes of `s` it was. */
size_t json_text_one(const char *s, char out[static JSON_TEXT_ONE_BYTES]);

/* All of `s`, with the quotes. */
void json_text_append(struct buf *b, const char *s);

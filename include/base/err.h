#pragma once
/* An error a human must act on: where, and one sentence with the remedy. Filled by the floor that
 * knows, printed by the floor that can act; in between it only travels up. */

struct err {
	char text[320];
};

/* Fill `e` (may be NULL) and return `code`, so that callers can write `return err_set(...)`. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

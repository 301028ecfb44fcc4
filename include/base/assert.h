#pragma once
/* Two assertions that stay on in production: a wrong program must not route writes.
 * REQUIRE: the caller broke the contract.  INSIST: we did. Both print one line and abort. */

void assert_failed(const char *kind, const char *condition, const char *file, int line)
	__attribute__((noreturn, cold));

#define REQUIRE(cond) ((cond) ? (void)0 : assert_failed("REQUIRE", #cond, __FILE__, __LINE__))
#define INSIST(cond)  ((cond) ? (void)0 : assert_failed("INSIST", #cond, __FILE__, __LINE__))

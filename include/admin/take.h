#pragma once
/* The arguments of commands that change something, checked in HAProxy's order and with its words,
 * into the order. False: the reply is written. */
#include "admin/command.h"

/* Argument `at`; an empty text where there is none. */
const char *take_word(const struct command_call *c, size_t at);
/* "backend/server" as argument `at`. */
bool take_server(const struct command_call *c, size_t at);
/* A frontend's name as argument `at`. */
bool take_frontend(const struct command_call *c, size_t at);

#pragma once
/* One conversation of a line server, and the room its conversations share. For line_server.c; what
 * the owner of a protocol calls is in line_server.h. */
#include "base/list.h"
#include "io/line_server.h"

enum { LINE_READ_BYTES = 64 * 1024 };

union line_stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
};

struct line_room {
	struct line_server_options options;
	struct list clients;
	unsigned n_clients;
	void (*on_left)(struct line_room *room); /* a client's memory is free */
	char scratch[LINE_READ_BYTES]; /* uv reads and reports in a row: one buffer serves all */
};

void line_stream_init(uv_loop_t *loop, union line_stream *s, enum addr_kind kind);
void line_client_accept(struct line_room *room, uv_stream_t *listener);
void line_client_close(struct line_client *c); /* at once; may be called again */
void line_room_close(struct line_room *room);  /* every client */

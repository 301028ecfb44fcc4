#pragma once
/* Sessions that carry one COPY, down (`send`) or up (`sink`), of known content. */
#include "client.h"

struct stream {
	struct client client; /* first: deeds get this one */
	struct streams *of;
	struct copy copy;
	uint64_t at; /* on the wire */
	bool told;   /* up: the server takes it */
	size_t answered;
	char answer[64];
	size_t n_answer;
};

struct streams {
	struct clients *all;
	struct stream *list;
	unsigned n, n_running;
	enum copy_way way;
	uint64_t bytes, rate; /* of each */
	size_t chunk;
	bool verify;
	bool discard; /* the kernel throws the bytes away instead of copying them to us */
	struct deeds deeds;
	uint64_t wire_bytes; /* of all, so far */
};

/* n sessions with options' chunk, verify and discard; bytes and rate are of each. */
int streams_init(struct streams *ss, struct clients *a, unsigned n, enum copy_way way,
		 uint64_t bytes, uint64_t rate);
int streams_open(struct streams *ss, const struct address *target);
/* Say the words that set all of them going. */
int streams_start(struct streams *ss);
/* Until all are at their end. */
int streams_finish(struct streams *ss);
void streams_fini(struct streams *ss);

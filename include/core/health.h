#pragma once
/* Is one member there? rise/fall over its answers, with the data port as second witness. Pure.
 * Health is not role: a healthy replica is up. */
#include <stdbool.h>
#include <stdint.h>

enum port { PORT_UNKNOWN, PORT_ALIVE, PORT_SILENT, PORT_REFUSED };

struct health {
	bool up;                 /* rise whole answers since it was last down */
	bool gone;               /* silent on REST and on the data port: until REST answers again */
	unsigned silent;         /* consecutive silent answers */
	unsigned answers;        /* consecutive whole answers */
	enum port port;          /* only meaningful while REST is silent */
	int64_t silent_since_ms; /* valid while rest_silent */
	bool rest_silent;        /* the last question got no answer, or the present one is late */
};

void health_answer(struct health *h, unsigned rise);
void health_silence(struct health *h, unsigned fall,
		    int64_t now_ms);                /* a question ended without an answer */
void health_late(struct health *h, int64_t now_ms); /* a question is late: doubt, not yet counted */
void health_port(struct health *h, enum port port); /* ignored unless REST is silent */
void health_take_fall(struct health *h, unsigned fall); /* another limit from now on */
/* Neither settled up nor settled down: worth asking fast. */
bool health_in_doubt(const struct health *h, unsigned fall);

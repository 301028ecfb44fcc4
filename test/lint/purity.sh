#!/bin/sh
# Pure floors have no clock, no chance, no socket, no file, no thread and no print: what their
# objects ask the linker for shows it. Arguments: archives or objects.
set -eu

forbidden='clock_gettime|clock|gettimeofday|time|timespec_get|ftime|localtime(_r)?'
forbidden="$forbidden|sleep|usleep|nanosleep|clock_nanosleep"
forbidden="$forbidden|s?random(_r)?|s?rand(_r)?|[dlm]rand48|getrandom|getentropy|arc4random.*"
forbidden="$forbidden|socket|socketpair|connect|accept4?|bind|listen|shutdown"
forbidden="$forbidden|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|getaddrinfo|gethostby.*"
forbidden="$forbidden|poll|ppoll|select|pselect|epoll_.*|eventfd|pipe2?"
forbidden="$forbidden|p?readv?|p?writev?|open(at)?(64)?|creat|close"
forbidden="$forbidden|fopen(64)?|fdopen|fread|fwrite|fclose|fgets|getline"
forbidden="$forbidden|v?f?printf|v?dprintf|f?puts|f?putc|putchar|perror|syslog|stdin|stdout|stderr"
forbidden="$forbidden|pthread_.*|thrd_.*|mtx_.*|uv_.*|curl_.*|PQ.*"
forbidden="$forbidden|getenv|secure_getenv|setenv|fork|exec[lv].*|system|popen|kill|raise"
forbidden="$forbidden|signal|sigaction"

nm -A -u "$@" | awk -v forbidden="^(__)?($forbidden)(_chk)?$" '
	{
		place = $1 # libcore.a:arbiter.o: or arbiter.o:
		sub(/:$/, "", place)
		if (!(place in seen)) {
			seen[place]
			objects++
		}
	}
	$NF ~ forbidden {
		printf "%s: asks for %s: a pure floor gets time and bytes from its caller\n", \
			place, $NF
		faults++
	}
	END {
		printf "purity: %d objects, %d fault(s)\n", objects, faults
		exit faults > 0 || objects == 0
	}'

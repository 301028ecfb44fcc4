# Who may include whom: the floors of the house (README).
# Arguments: every .c and .h under src and include.
# Not here: what the linker sees (purity.sh).

BEGIN {
	# Our own headers, by floor.
	own["base"] = "base"
	own["core"] = "base core"
	own["wire"] = "base core wire"
	own["admin"] = "base core wire admin"
	own["io"] = "base io"
	own["proxy"] = "base core wire io proxy"
	own["control"] = "base core wire admin io control"
	own["main"] = "base core wire admin io proxy control main"

	# System headers that neither touch the world nor keep time: any floor.
	anywhere = "assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h " \
		   "stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h " \
		   "strings.h"
	# Beyond these, by floor; "*" is all but what `reserved` gives to others.
	system_headers["base"] = "arpa/inet.h" # inet_pton: text to number
	system_headers["core"] = ""
	system_headers["wire"] = "jansson.h yaml.h"
	system_headers["admin"] = ""
	system_headers["io"] = "*"
	system_headers["proxy"] = "uv.h signal.h"
	system_headers["control"] = "uv.h signal.h"
	system_headers["main"] = "*"
	reserved["jansson.h"] = "wire"
	reserved["yaml.h"] = "wire"
	reserved["curl/curl.h"] = "io"
	reserved["libpq-fe.h"] = "io"
	reserved["microhttpd.h"] = "io"
	reserved["sys/epoll.h"] = "io"
	reserved["sys/socket.h"] = "io"
	reserved["pthread.h"] = "io"
	reserved["time.h"] = "io"
}

function has(list, word)
{
	return index(" " list " ", " " word " ") > 0
}

function bad(why)
{
	printf "%s:%d: %s\n", FILENAME, FNR, why
	faults++
}

function check_own(header, parts)
{
	if (split(header, parts, "/") == 1)
		return # a private header beside the file
	if (!has(own[floor], parts[1]))
		bad(floor " may not include \"" header "\": move the code to a floor that may, " \
		    "or pass the value in")
}

function check_system(header)
{
	if (has(anywhere, header))
		return
	if (header in reserved ? has(reserved[header], floor) : system_headers[floor] == "*")
		return
	if (has(system_headers[floor], header))
		return
	bad(floor " may not include <" header ">: what touches the world belongs to io")
}

FNR == 1 {
	split(FILENAME, path, "/") # src/<floor>/x.c, include/<floor>/x.h
	floor = path[2]
	files++
	if (!(floor in own))
		bad("there is no floor '" floor "'")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	check_own(quoted[2])
	includes++
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, angled, /[<>]/)
	check_system(angled[2])
	includes++
}

END {
	printf "floors: %d includes in %d files, %d fault(s)\n", includes, files, faults
	exit faults > 0
}

# Every counter of COUNTER_LIST has a name of its own and says what it counts.
# Argument: include/core/counters.h.

/^#define COUNTER_LIST/ {
	inside = 1
	next
}

inside {
	start = start ? start : FNR
	text = text $0
	if ($0 !~ /\\$/)
		inside = 0
}

function bad(why)
{
	printf "%s:%d: COUNTER_LIST: %s\n", FILENAME, start, why
	faults++
}

END {
	gsub(/\\/, " ", text)
	while (match(text, /X\([ \t]*[a-z_0-9]+[ \t]*,[ \t]*"[^"]*"[ \t]*\)/)) {
		split(substr(text, RSTART + 2, RLENGTH - 2), row, /[, \t"]+/)
		name = row[1] != "" ? row[1] : row[2]
		help = substr(text, RSTART, RLENGTH)
		sub(/^[^"]*"/, "", help)
		sub(/".*/, "", help)
		text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
		n++
		if (name in seen)
			bad("the counter " name " is there twice: give each a name of its own")
		if (help !~ /[a-z]/)
			bad("the counter " name " does not say what it counts: describe it")
		seen[name]
	}
	if (text ~ /X\(/)
		bad("a row is not X(name, \"what it counts\")")
	printf "counters: %d counters, %d fault(s)\n", n, faults
	exit faults > 0 || n == 0
}

# Every event that is logged, and every key of one, is in the table of etc/log-events.md; and the
# table has no event that is never logged. Arguments: the sources, then the table.

function bad(place, why)
{
	printf "%s: %s\n", place, why
	faults++
}

# The words in quotes of one call, which may be broken over lines; of log_msg the first one only.
function take_events(call, place,    only_first)
{
	only_first = call ~ /^log_msg/
	while (match(call, /"[a-z_]+"/)) {
		name = substr(call, RSTART + 1, RLENGTH - 2)
		call = substr(call, RSTART + RLENGTH)
		if (!(name in event))
			event[name] = place
		if (only_first)
			return
	}
}

function take_keys(line, place)
{
	while (match(line, /log_(str|int|fmt)\([^"()]*, "[a-z_]+"/)) {
		name = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		sub(/^.*, "/, "", name)
		sub(/"$/, "", name)
		if (!(name in key))
			key[name] = place
	}
}

FNR == 1 {
	call = ""
	table = FILENAME ~ /\.md$/
}

table && /^\| `/ {
	split($0, cells, "|")
	rest = cells[2]
	while (match(rest, /`[a-z_]+`/)) {
		listed[substr(rest, RSTART + 1, RLENGTH - 2)] = FILENAME ":" FNR
		rest = substr(rest, RSTART + RLENGTH)
	}
	rest = cells[4]
	while (match(rest, /`[a-z_]+`/)) {
		described[substr(rest, RSTART + 1, RLENGTH - 2)]
		rest = substr(rest, RSTART + RLENGTH)
	}
}

table {
	next
}

call == "" && match($0, /(log_begin|log_msg|log_line_begin|log_order)\(/) {
	call = substr($0, RSTART)
	at = FILENAME ":" FNR
	if ($0 ~ /^[a-z].*\(/)
		call = "" # its definition
}

call != "" {
	if ($0 !~ /(log_begin|log_msg|log_line_begin|log_order)\(/)
		call = call $0
	if ($0 ~ /[;{]$|\)$/) {
		if (call ~ /^log_(begin|msg|line_begin)/)
			take_events(call, at)
		call = ""
	}
}

{
	take_keys($0, FILENAME ":" FNR)
}

END {
	for (name in event) {
		n++
		if (!(name in listed))
			bad(event[name], "the event " name \
				" is not in etc/log-events.md: add it there")
	}
	for (name in listed)
		if (!(name in event) && name !~ /^[A-Z]/)
			bad(listed[name], "nobody logs the event " name ": take it out")
	for (name in key)
		if (name !~ /^(time|level|event)$/ && !(name in described))
			bad(key[name], "the key " name " is not in etc/log-events.md: add it there")
	printf "events: %d events, %d fault(s)\n", n, faults
	exit faults > 0 || n == 0
}

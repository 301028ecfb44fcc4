# Every row of the key tables (src/wire/config_*.c) is described in etc/isari.yaml, as "key:", as
# often as there are tables that have it. Arguments: the key tables, then the example.
# Not here: that the example is valid and shows the defaults (test/unit/wire/config_yaml_test.c).

/^static const struct key [a-z_]+\[\] = \{/ {
	split($0, words, /[ []/)
	table = words[5]
}

/^};/ {
	table = ""
}

table != "" && /^\t[A-Z_]+\("[a-z_]+",/ {
	split($0, quoted, "\"")
	n++
	key[n] = quoted[2]
	place[n] = FILENAME ":" FNR
	of[n] = table
}

FILENAME ~ /\.yaml$/ {
	rest = $0
	while (match(rest, /[a-z_]+:( |$)/)) {
		word = substr(rest, RSTART, RLENGTH)
		sub(/: ?$/, "", word)
		described[word]++
		rest = substr(rest, RSTART + RLENGTH)
	}
	example = FILENAME
}

END {
	for (i = 1; i <= n; i++) {
		if (described[key[i]]-- > 0)
			continue
		printf "%s: %s has the key %s, which %s does not describe: add it there\n", \
			place[i], of[i], key[i], example
		faults++
	}
	printf "keys: %d keys in the example, %d fault(s)\n", n, faults
	exit faults > 0 || n == 0
}

# The form of a source file: it begins by saying what it answers for, and no line is over 100
# columns (a tab has 8). Arguments: C sources and headers, scripts of test/lint.

function bad(line, why)
{
	printf "%s:%d: %s\n", FILENAME, line, why
	faults++
}

function columns(text, i, n, c)
{
	gsub(/[\200-\277]/, "", text) # the further bytes of a UTF-8 character
	if (!index(text, "\t"))
		return length(text)
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		n = c == "\t" ? n + 8 - n % 8 : n + 1
	}
	return n
}

FNR == 1 {
	files++
	header = FILENAME ~ /\.h$/
	if (header && $0 != "#pragma once")
		bad(1, "a header begins with #pragma once")
}

FILENAME ~ /\.[ch]$/ && FNR == 1 + header && $0 !~ /^\/\*/ {
	bad(FNR, "the file does not begin by saying what it answers for: add a comment")
}

length($0) > 50 && columns($0) > 100 {
	bad(FNR, "has " columns($0) " columns; at most 100: break the line")
}

END {
	printf "text: %d files, %d fault(s)\n", files, faults
	exit faults > 0 || files == 0
}

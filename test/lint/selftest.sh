#!/bin/sh
# Does lint refuse what it is there to refuse? Each case plants a fault in a copy of the tree and
# wants to see it named. Only the planted place counts, so the state of the tree itself does not
# matter.
set -eu
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0
n=0

fresh() {
	rm -rf "$copy/tree"
	mkdir -p "$copy/tree"
	cp -R src include etc test Makefile .clang-format "$copy/tree"
}

# refused CHECK TEXT: the check fails and its output has the text.
refused() {
	n=$((n + 1))
	if (cd "$copy/tree" && sh test/lint/lint.sh build "$1") >"$copy/out" 2>&1; then
		echo "selftest: $1 accepted what it should refuse: $2"
		failed=1
	elif ! grep -qF -- "$2" "$copy/out"; then
		echo "selftest: $1 did not name '$2':"
		cat "$copy/out"
		failed=1
	fi
}

plant() { # FILE LINE...
	file=$copy/tree/$1
	shift
	printf '%s\n' "$@" >>"$file"
}

fresh
plant src/core/config.c '#include "io/clock.h"' '#include <time.h>'
plant include/base/str.h '#include "core/config.h"'
printf '/* x */\n#include "control/control.h"\n#include <sys/socket.h>\n' \
	>"$copy/tree/src/proxy/planted.c"
printf '/* x */\n#include <yaml.h>\n' >"$copy/tree/src/io/planted.c"
refused floors 'core may not include "io/clock.h"'
refused floors 'core may not include <time.h>'
refused floors 'base may not include "core/config.h"'
refused floors 'src/proxy/planted.c:2: proxy may not include "control/control.h"'
refused floors 'src/proxy/planted.c:3: proxy may not include <sys/socket.h>'
refused floors 'src/io/planted.c:2: io may not include <yaml.h>'

fresh
plant src/wire/config_stats.c 'static const struct key planted_keys[] = {' \
	'	KEY("planted", read_bool),' '};'
plant src/wire/config_yaml.c 'static const struct key more_keys[] = {' \
	'	KEY("fall", read_bool),' '};'
refused keys 'planted_keys has the key planted, which etc/isari.yaml does not describe'
refused keys 'has the key fall, which etc/isari.yaml does not describe'

fresh
plant src/control/announce.c 'static void planted(struct log_line *l)' '{' \
	'	if (log_begin(l, SEVERITY_INFO,' '		      "planted_event"))' \
	'		log_str(l, "planted_key", "x");' '}'
plant etc/log-events.md '| `never_logged` | info | `msg` | |'
refused events 'the event planted_event is not in etc/log-events.md'
refused events 'the key planted_key is not in etc/log-events.md'
refused events 'nobody logs the event never_logged'

fresh
sed -i 's|X(cancels, "[^"]*")|X(cancels, "") X(selected, "again") X(bare)|' \
	"$copy/tree/include/core/counters.h"
refused counters 'the counter cancels does not say what it counts'
refused counters 'the counter selected is there twice'
refused counters 'a row is not X(name, "what it counts")'

fresh
printf 'int planted;\n' >"$copy/tree/src/core/planted.c"
printf '/* x */\n' >"$copy/tree/include/core/planted.h"
printf '/* x */\n\t%093d\n\t%092d\n' 0 0 >"$copy/tree/src/core/wide.c"
refused text 'src/core/planted.c:1: the file does not begin by saying'
refused text 'include/core/planted.h:1: a header begins with #pragma once'
refused text 'src/core/wide.c:2: has 101 columns'
if grep -q 'wide.c:3' "$copy/out"; then
	echo "selftest: text refused a line of 100 columns"
	failed=1
fi

printf '/* x */\nint  planted;\n' >"$copy/tree/src/core/planted.c"
refused format 'src/core/planted.c:2'

# The linker's view, of one object of its own instead of a whole build.
pure() { # SYMBOL DECLARATION CALL
	n=$((n + 1))
	printf '%s;\nvoid planted(void);\nvoid planted(void) { %s; }\n' "$2" "$3" |
		cc -O2 -D_FORTIFY_SOURCE=2 -x c -c -o "$copy/planted.o" -
	if sh test/lint/purity.sh "$copy/planted.o" >"$copy/out" ||
		! grep -q "asks for _*$1" "$copy/out"; then
		echo "selftest: purity accepted $1"
		failed=1
	fi
}
pure clock_gettime 'int clock_gettime(int, void *)' 'clock_gettime(1, 0)'
pure time 'long time(long *)' 'time(0)'
pure getrandom 'long getrandom(void *, unsigned long, unsigned)' 'getrandom(0, 0, 0)'
pure write 'long write(int, const void *, unsigned long)' 'write(1, "", 1)'
pure printf '#include <stdio.h>
int x' 'printf("%d", x)'
pure stderr '#include <stdio.h>
int x' 'fprintf(stderr, "%d", x)'
pure pthread_mutex_lock 'int pthread_mutex_lock(void *)' 'pthread_mutex_lock(0)'

echo "selftest: $n planted faults, $failed missed"
exit $failed

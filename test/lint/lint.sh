#!/bin/sh
# The rules of the house that a machine can check: `sh test/lint/lint.sh BUILD_DIR [CHECK...]`, from
# the top of the tree; without CHECK all of them. One line per check says what was looked at; a
# fault has its place and remedy.
set -u
LC_ALL=C
export LC_ALL
build=${1:?usage: lint.sh BUILD_DIR [CHECK...]}
shift
here=test/lint
[ $# -gt 0 ] || set -- floors purity text keys counters events format selftest

# Tracked and new files by pattern; a tree without git (a source package) is searched.
files() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard -- "$@" | while read -r f; do
			[ ! -f "$f" ] || echo "$f"
		done
	else
		for pattern in "$@"; do
			find . -path ./build -prune -o -type f -name "$pattern" -print |
				sed 's|^\./||'
		done
	fi | sort -u
}

check_floors() {
	awk -f $here/floors.awk $(files '*.c' '*.h' | grep -E '^(src|include)/')
}

# The objects are those of the build: compiled once, with the warnings that `make check` forbids. A
# sanitizer's objects ask for more than the code does, so then they are built apart, without.
check_purity() {
	objects=$build
	case $build in
	*/san-*) objects=$build/lint ;;
	esac
	set -- "$objects/libcore.a" "$objects/libwire.a" "$objects/libadmin.a"
	if ${MAKE:-make} -s --no-print-directory SAN= BUILD="$objects" WERROR=1 "$@" \
		>"$build/lint.log" 2>&1; then
		sh $here/purity.sh "$@"
		return
	fi
	cat "$build/lint.log"
	echo "purity: the pure floors do not compile without warnings: see above"
	return 1
}

check_text() {
	awk -f $here/text.awk $(files '*.c' '*.h'; ls $here/*.sh $here/*.awk)
}

check_keys() {
	awk -f $here/keys.awk src/wire/config_*.c etc/isari.yaml
}

check_counters() {
	awk -f $here/counters.awk include/core/counters.h
}

check_events() {
	awk -f $here/events.awk $(files '*.c' | grep ^src/) etc/log-events.md
}

check_format() {
	if ! command -v clang-format-14 >/dev/null; then
		echo "format: clang-format-14 is missing: make deps"
		return 1
	fi
	set -- $(files '*.c' '*.h')
	if clang-format-14 --dry-run -Werror "$@" >"$build/lint.log" 2>&1; then
		echo "format: $# files, 0 fault(s)"
		return 0
	fi
	grep -E '(error|warning):' "$build/lint.log" | sort -u -t: -k1,1
	echo "format: $# files, $(grep -c 'error:' "$build/lint.log") fault(s): make format"
	return 1
}

check_selftest() {
	sh $here/selftest.sh
}

mkdir -p "$build"
failed=
for check in "$@"; do
	"check_$check" || failed="$failed $check"
done
[ -z "$failed" ] || {
	echo "lint: failed:$failed" >&2
	exit 1
}

#!/bin/sh
# Install the Debian packages named as arguments that are missing. Needs root (or sudo) only then.
set -eu
missing=
for p in "$@"; do
	case $(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null) in
	ii*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
run=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "make deps: these packages are missing and only root can install them:$missing" >&2
		exit 1
	}
	run=sudo
fi
# Debian starts the services that it installs; nothing here needs them, and the tests bring their own.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $run tee $policy >/dev/null
	$run chmod 755 $policy
	made=1
fi
trap '[ -z "$made" ] || $run rm -f $policy' EXIT
$run apt-get update -qq
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing

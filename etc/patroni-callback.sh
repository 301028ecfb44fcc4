#!/bin/sh
# Patroni's callback for isari: tells it that this node's role has changed, so that it asks all nodes
# now instead of at its next round. It only asks sooner; what it believes is what the nodes answer.
#
#   postgresql:
#     callbacks:
#       on_role_change: /etc/patroni/patroni-callback.sh
#       on_start: /etc/patroni/patroni-callback.sh
#       on_stop: /etc/patroni/patroni-callback.sh
#
# Patroni calls it with three arguments: action, role, scope. It never fails, says nothing, and
# waits for 0.8 s at most, however many there are to tell.
#
# ISARI_SOCKETS  the stats sockets to tell, separated by blanks: paths or host:port, of level operator
# ISARI_CLUSTER  the cluster's name in isari.yaml; without it isari asks the nodes of all its clusters
sockets=${ISARI_SOCKETS:-/run/isari/isari.sock}
order="probe${ISARI_CLUSTER:+ $ISARI_CLUSTER}"

tell() {
	case $1 in
	*/*) address=UNIX-CONNECT:$1 ;;
	*) address=TCP:$1 ;;
	esac
	if command -v socat >/dev/null; then
		echo "$order" | timeout -s KILL 0.8 socat - "$address"
	else
		timeout -s KILL 0.8 isari ctl -s "$1" $order
	fi
}

for socket in $sockets; do
	tell "$socket" </dev/null &
done >/dev/null 2>&1
wait
exit 0

#!/bin/sh
# Keeps the server process of a cluster running: when it crashes, it is started again, a few times. `cox up` starts this with
# the cluster's log as its output; a shell costs a fraction of the memory of another Node.js.
#   supervise.sh DATA COMMAND...
# Ends with the server when that exits with code 0, when it never became ready, and when it crashed too often.
data=$1
shift
# More crashes than this within this many seconds, and the server is not started again.
limit=5
window=600

say() {
	echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) supervisor $$: $*"
}

reason() {
	if [ "$1" -gt 128 ]; then
		name=$(kill -l $(($1 - 128)) 2>/dev/null || echo $(($1 - 128)))
		case $name in
		KILL) echo "was killed (SIGKILL; when nobody did that, the kernel was out of memory: see dmesg)" ;;
		ABRT) echo "aborted (SIGABRT; most often Node.js was out of memory)" ;;
		BUS | SEGV) echo "crashed (SIG$name; the store's file may be damaged: 'cox snapshot verify' checks it)" ;;
		*) echo "was ended by SIG$name" ;;
		esac
	else
		echo "ended with exit code $1"
	fi
}

child=
stopping=
trap 'stopping=1; test -z "$child" || kill -TERM "$child" 2>/dev/null' INT TERM
# The server must not be taken for its supervisor.
unset COX_SUPERVISOR
restarts=0
deaths=0
windowStart=0
last=
while :; do
	COX_SERVER=$data COX_RESTARTS=$restarts COX_LAST_END=$last "$@" &
	child=$!
	# The first server reports its progress to `cox up` over this channel, which no later server has.
	exec 3>&-
	unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
	wait "$child"
	code=$?
	# A signal interrupts the waiting, not the server.
	while kill -0 "$child" 2>/dev/null; do
		wait "$child"
		code=$?
	done
	if [ "$code" = 0 ] || [ -n "$stopping" ]; then exit "$code"; fi
	ready=$(cat "$data/server.pid" 2>/dev/null)
	last="$(date -u +%Y-%m-%dT%H:%M:%SZ): the server process $child $(reason "$code")"
	if [ "$restarts" = 0 ] && [ "$ready" != "$child" ]; then
		say "the server process $child $(reason "$code") before it was ready; it is not started again"
		exit "$code"
	fi
	now=$(date +%s)
	if [ $((now - windowStart)) -gt $window ]; then
		windowStart=$now
		deaths=0
	fi
	deaths=$((deaths + 1))
	if [ "$deaths" -gt $limit ]; then
		say "the server process $child $(reason "$code"). That was crash $deaths in $(((now - windowStart) / 60 + 1)) minutes: it is" \
			"not started again. Pods go on running; 'cox up' starts the server, 'cox down' stops everything."
		exit "$code"
	fi
	restarts=$((restarts + 1))
	case $deaths in
	1) delay=0.2 ;;
	2) delay=1 ;;
	3) delay=3 ;;
	*) delay=5 ;;
	esac
	say "the server process $child $(reason "$code"); its last output is above. Restart $restarts follows in $delay s"
	child=
	sleep $delay
	if [ -n "$stopping" ]; then exit 0; fi
done

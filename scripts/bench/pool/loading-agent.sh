#!/bin/sh
# A process like any agent to the spawner: loads for LOAD_SECONDS, says that it is ready, and leaves on SIGTERM.
trap 'kill "$child" 2>/dev/null; exit 0' TERM
sleep "$LOAD_SECONDS" &
child=$!
wait "$child"
if [ "$AGENT_MODE" = prewarm ]; then echo 'Pipeline started'; else echo "Connected to $ROOM_NAME"; fi
while :; do sleep 600 & child=$!; wait "$child"; done

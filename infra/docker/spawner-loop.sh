#!/bin/sh
# Keeps a spawner running for as long as its container lives. A container ends with its first process, and every agent
# with it: so this loop is what the container runs, under an init that reaps what agents leave behind:
#
#   tini -s -- infra/docker/spawner-loop.sh [command]      (default: node services/spawner/dist/main.js)
#
# - The spawner dies or leaves: it is started again, and adopts its agents. After a failure it waits 1, 2, 4 … 30 s; one
#   that had run for a minute is started again at once.
# - SIGHUP: passed on; the spawner leaves its calls, whatever SHUTDOWN_MODE says, and is started again and adopts them: for a
#   new version or other settings without the end of a call.
# - SIGTERM: passed on, and the loop ends when the spawner has. SHUTDOWN_MODE says what becomes of the calls: with drain
#   the spawner waits for them; with handover it leaves at once, and in a container they end with it. A second one hurries.
set -u

[ $# -gt 0 ] || set -- node "$(dirname "$0")/../../services/spawner/dist/main.js"

LONGEST_PAUSE=30
HEALTHY_AFTER=60
spawner=
is_told=no

tell() { [ -z "$spawner" ] || kill -"$1" "$spawner" 2>/dev/null; }
trap 'is_told=yes; tell TERM' TERM INT
trap 'tell HUP' HUP

# A signal interrupts `wait`: then it is not over yet.
await() {
  while :; do
    wait "$1"
    code=$?
    kill -0 "$1" 2>/dev/null || return
  done
}

pause=1
code=0
while [ "$is_told" = no ]; do
  began=$(date +%s)
  "$@" &
  spawner=$!
  # Told while it was being started.
  [ "$is_told" = no ] || tell TERM
  await "$spawner"
  spawner=
  [ "$is_told" = no ] || break
  if [ "$code" -eq 0 ] || [ $(($(date +%s) - began)) -ge "$HEALTHY_AFTER" ]; then
    pause=1
    echo "spawner-loop: the spawner has left (code $code), starting it again" >&2
    continue
  fi
  echo "spawner-loop: the spawner failed (code $code), starting it again in $pause s" >&2
  sleep "$pause" &
  wait $!
  pause=$((pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : pause * 2))
done
exit "$code"

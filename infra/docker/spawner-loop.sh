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
#   With drain, calls of a spawner that is leaving for a restart, or is not there just then, wait for the next one: it is
#   started once more, and told.
set -u

[ $# -gt 0 ] || set -- node "$(dirname "$0")/../../services/spawner/dist/main.js"

LONGEST_PAUSE=30
HEALTHY_AFTER=60
spawner=
is_told=no
is_leaving=no
tries=0

tell() { [ -z "$spawner" ] || kill -"$1" "$spawner" 2>/dev/null; }
on_stop() {
  # One that leaves for a restart would take it for a hurry, and nobody would wait for its calls.
  [ "$is_told$is_leaving" = noyes ] || tell TERM
  is_told=yes
}
on_restart() {
  [ "$is_told" = no ] || return
  is_leaving=yes
  tell HUP
}
trap on_stop TERM INT
trap on_restart HUP

drains() { [ "${SHUTDOWN_MODE:-handover}" = drain ]; }

# Whether the spawner that has gone left calls behind that somebody has to wait for: it was on its way to a restart, or was
# killed, as Node is by a SIGTERM that comes before it listens for one.
left_calls() { drains && [ "$tries" -lt 3 ] && { [ "$is_leaving" = yes ] || [ "$code" -gt 128 ]; }; }

# Not before it listens; should it take longer, it is started again.
tell_when_it_listens() {
  tries=$((tries + 1))
  sleep $((2 * tries)) &
  wait $!
  tell TERM
}

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
while [ "$is_told" = no ] || drains; do
  began=$(date +%s)
  is_leaving=no
  was_told=$is_told
  "$@" &
  spawner=$!
  if [ "$was_told" = yes ]; then
    tell_when_it_listens
  elif [ "$is_told" = yes ]; then
    # While it was being started.
    tell TERM
  fi
  await "$spawner"
  spawner=
  if [ "$is_told" = yes ]; then
    left_calls || break
    continue
  fi
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

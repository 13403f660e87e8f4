#!/usr/bin/env bash
# Five sessions at once on a running stack: each has its own processes, and ending one touches no other.
# See scripts/README.md.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/testing/session-checks.sh"
connect

COUNT=5
ids=() pids=() pgids=() log_files=() rooms=() trees=() surveys=()

start_all() {
  local folder
  folder=$(mktemp -d)
  for ((i = 0; i < COUNT; i++)); do start_session "Caller $i" >"$folder/$i" 2>&1 & done
  wait
  for ((i = 0; i < COUNT; i++)); do ids[i]=$(tail -n 1 "$folder/$i"); done
  rm -rf "$folder"
  started_ids=("${ids[@]}")
}

# What each session says of itself once it is ready.
look_at() {
  local i=$1 view
  view=$(session "${ids[i]}")
  { read -r 'pids[i]'; read -r 'pgids[i]'; read -r 'log_files[i]'; read -r 'rooms[i]'; } \
    < <(field agentPid agentPgid logFile roomName <<<"$view")
  surveys[i]=$(survey "${ids[i]}")
  trees[i]=$(ask tree <<<"${surveys[i]}")
}

leads_its_group() {
  says "${surveys[$1]}" is_process_alive && says "${surveys[$1]}" is_group_leader && [ "${pids[$1]}" = "${pgids[$1]}" ]
}

all_differ() {
  [ $# -eq "$COUNT" ] || { echo "there are only $#: $*"; return 1; }
  [ "$(printf '%s\n' "$@" | grep -c .)" -eq "$COUNT" ] || { echo "some are empty: $*"; return 1; }
  [ "$(printf '%s\n' "$@" | sort -u | wc -l)" -eq "$COUNT" ] || { echo "some are the same: $*"; return 1; }
}

ends() {
  local tree
  read -ra tree <<<"${trees[$1]}"
  end_session "${ids[$1]}" && within "$GONE_WITHIN_S" is_gone "${ids[$1]}" "${tree[@]}"
}

# Same process, same launch, whole tree, still ready.
is_untouched() {
  local i=$1 view now status pid restarts tree
  view=$(session "${ids[i]}")
  { read -r status; read -r pid; read -r restarts; } < <(field status agentPid restarts <<<"$view")
  now=$(survey "${ids[i]}")
  read -ra tree <<<"${trees[i]}"
  [ "$status" = ready ] && [ "$pid" = "${pids[i]}" ] && [ "$restarts" = 0 ] &&
    says "$now" is_process_alive && says "$now" is_group_alive &&
    [ "$(ask alive "${tree[@]}")" = "${trees[i]}" ] || { echo "session ${ids[i]} was touched: $view $now"; return 1; }
}

all_untouched() {
  local i
  for i in "$@"; do is_untouched "$i" || return 1; done
}

no_key_is_left() {
  local id
  for id in "${ids[@]}"; do key_is_gone "session:$id" && key_is_gone "agent:$id:pid" || return 1; done
}

start_all
for ((i = 0; i < COUNT; i++)); do
  check "session $i started and ready: ${ids[i]:-none}" within "$READY_WITHIN_S" is_ready "${ids[i]:-none}"
done
for ((i = 0; i < COUNT; i++)); do
  look_at "$i"
  check "session $i: process ${pids[i]:-?} is alive and leads its own group" leads_its_group "$i"
done
check 'no two share a process' all_differ "${pids[@]}"
check 'no two share a process group' all_differ "${pgids[@]}"
check 'no two share a log file' all_differ "${log_files[@]}"
check 'no two share a room' all_differ "${rooms[@]}"

mapfile -t order < <(shuf -i "0-$((COUNT - 1))")
echo "      ending in the order ${order[*]}"
while [ "${#order[@]}" -gt 0 ]; do
  check "session ${order[0]} ends, with its whole tree" ends "${order[0]}"
  order=("${order[@]:1}")
  [ "${#order[@]}" -eq 0 ] || check "untouched: ${order[*]}" all_untouched "${order[@]}"
done
check 'no session key and no pid key is left' no_key_is_left

started_ids=()
finish

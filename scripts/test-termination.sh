#!/usr/bin/env bash
# Starts one session on a running stack, ends it, and checks that nothing of it is left. See scripts/README.md.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/testing/session-checks.sh"
connect

id=$(start_session 'Termination Test')
started_ids=("$id")
check "session started and ready: ${id:-none}" within "$READY_WITHIN_S" is_ready "${id:-none}"

found=$(survey "$id")
{ read -r pid; read -r pgid; } < <(field pid pgid <<<"$found")
check "its process ${pid:-?} is alive" says "$found" is_process_alive
check "it leads its own group ${pgid:-?}" says "$found" is_group_leader
check "its group is alive" says "$found" is_group_alive
# Remembered by pid and start time, with all children; empty where the processes are not on this machine.
read -ra tree < <(ask tree <<<"$found")
echo "      on this machine: ${#tree[@]} processes of its tree"

check "the end is accepted" end_session "$id"
check "the session is 404 afterwards, and its processes are gone" within "$GONE_WITHIN_S" is_gone "$id" "${tree[@]}"
check "session:$id is gone" key_is_gone "session:$id"
check "agent:$id:pid is gone" key_is_gone "agent:$id:pid"

started_ids=()
finish

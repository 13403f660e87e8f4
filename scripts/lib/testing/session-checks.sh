# Shared by the scripts that check a running stack: asking it, counting checks. Needs bash, curl and node.

ASK_STACK="$(dirname "${BASH_SOURCE[0]}")/ask-stack.mjs"
READY_WITHIN_S="${READY_WITHIN_S:-45}"
GONE_WITHIN_S="${GONE_WITHIN_S:-20}"
passed=0
failed=0
started_ids=()

ask() { node "$ASK_STACK" "$@"; }

connect() {
  { read -r API_URL; read -r REDIS_URL; read -r ADMIN_TOKEN; } < <(ask where)
  export API_URL REDIS_URL
  echo "Api: $API_URL"
  if ! curl -sf -m 5 -o /dev/null "$API_URL/livez"; then
    echo "No Greenroom answers at $API_URL. Start one (npm start) or set API_URL." >&2
    exit 2
  fi
  if [ -z "$ADMIN_TOKEN" ]; then
    echo "These checks need ADMIN_TOKEN: set it, or run them where npm start runs (.greenroom/dev-secrets.env)." >&2
    exit 2
  fi
  if ! ask redis PING >/dev/null 2>&1; then
    echo "No Redis answers at REDIS_URL. Set REDIS_URL to the one that the stack uses." >&2
    exit 2
  fi
  trap end_what_is_left EXIT
}

# check TEXT COMMAND...: runs the command, prints PASS or FAIL, counts. Its output is shown when it fails.
check() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "PASS  $text"
  else
    failed=$((failed + 1))
    echo "FAIL  $text"
    [ -z "$output" ] || sed 's/^/        /' <<<"$output"
  fi
}

finish() {
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

# api METHOD PATH [BODY]: the answer's body, and its status on a last line of its own. The token goes in by stdin, as
# a command line can be read by anybody on the machine; it also lifts the rate limit of open clients.
api() {
  local body=()
  [ $# -lt 3 ] || body=(-H 'content-type: application/json' -d "$3")
  printf 'header = "authorization: Bearer %s"\n' "$ADMIN_TOKEN" |
    curl -sS -m 15 -K - -X "$1" "${body[@]}" -w '\n%{http_code}' "$API_URL$2"
}

status_of() { tail -n 1; }
body_of() { sed '$d'; }
field() { ask json "$@"; }

# start_session NAME: prints the id of a new session.
start_session() {
  local answer
  answer=$(api POST /api/session/start "{\"userName\":\"$1\"}") || return 1
  local id
  id=$(body_of <<<"$answer" | field sessionId)
  if [ -z "$id" ]; then
    echo "$answer" >&2
    return 1
  fi
  echo "$id"
}

session() { api GET "/api/session/$1" | body_of; }
survey() { api GET "/api/debug/session/$1/processes" | body_of; }

# within SECONDS COMMAND...: repeats the command until it succeeds.
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      "$@"
      return
    fi
    sleep 0.2
  done
}

is_ready() {
  local answer
  answer=$(session "$1")
  [ "$(field status <<<"$answer")" = ready ] || { echo "not ready: $answer"; return 1; }
}

# says SURVEY FIELD: whether that field of a survey is true.
says() {
  [ "$(field "$2" <<<"$1")" = true ] || { echo "$2 is not true: $1"; return 1; }
}

end_session() {
  local answer
  answer=$(api POST /api/session/end "{\"sessionId\":\"$1\"}")
  [ "$(status_of <<<"$answer")" = 202 ] || { echo "$answer"; return 1; }
}

# is_gone ID [pid:startTime...]: 404, and none of these processes lives.
is_gone() {
  local id=$1 answer left
  shift
  answer=$(api GET "/api/session/$id")
  [ "$(status_of <<<"$answer")" = 404 ] || { echo "still there: $answer"; return 1; }
  left=$(ask alive "$@")
  [ -z "$left" ] || { echo "still alive: $left"; return 1; }
}

# The key without REDIS_KEY_PREFIX, which is added.
key_is_gone() {
  local reply
  reply=$(ask redis EXISTS "${REDIS_KEY_PREFIX:-}$1")
  [ "$reply" = 0 ] || { echo "EXISTS ${REDIS_KEY_PREFIX:-}$1 says $reply"; return 1; }
}

# Whatever fails half-way, no session of ours stays on somebody's stack.
end_what_is_left() {
  local id
  for id in "${started_ids[@]}"; do
    [ -z "$id" ] || api POST /api/session/end "{\"sessionId\":\"$id\"}" >/dev/null 2>&1 || true
  done
}

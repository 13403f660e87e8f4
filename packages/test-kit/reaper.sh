# Ends what a test run leaves behind when it dies without saying so (kill -9 of jest, a crash of its worker).
# Reads on stdin:  add PGID | del PGID | dir PATH | undir PATH.  When stdin closes, every group still listed is
# killed, then every process whose environment names a listed directory (agents that called setsid), and the
# directories are removed. dash-compatible; ignores the terminal's signals, since only the end of stdin counts.
trap '' HUP INT TERM
groups=' '
dirs=' '
without() { # list value
  case $1 in
    *" $2 "*) printf '%s %s' "${1%%" $2 "*}" "${1#*" $2 "}" ;;
    *) printf '%s' "$1" ;;
  esac
}
while read -r verb value; do
  case $verb in
    add) groups="$groups$value " ;;
    del) groups=$(without "$groups" "$value") ;;
    dir) dirs="$dirs$value " ;;
    undir) dirs=$(without "$dirs" "$value") ;;
  esac
done
for pgid in $groups; do kill -s KILL -- "-$pgid" 2>/dev/null; done
for dir in $dirs; do
  for environ in $(grep -lsF -- "$dir" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${environ#/proc/}
    pid=${pid%/environ}
    [ "$pid" = "$$" ] || kill -s KILL "$pid" 2>/dev/null
  done
  rm -rf -- "$dir"
done
exit 0

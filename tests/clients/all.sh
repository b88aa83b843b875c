#!/usr/bin/env bash
# The real clients against `potok serve`, where nobody need sign in and where everybody must: all.sh target/debug/potok
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
potok=$(realpath "$1")
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

for users in "" "olga:correct horse battery"; do
  db=$folder/${users:+signed-in}.db
  if [ -n "$users" ]; then
    "$potok" user add "${users%%:*}" --admin --password-stdin --db "$db" <<<"${users#*:}"
  fi
  "$potok" serve --db "$db" --listen 127.0.0.1:0 --job-execution off >"$folder/out" 2>"$folder/log" &
  server=$!
  for _ in $(seq 300); do
    grep -q "sign in" "$folder/out" && break
    kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
  done
  base=$(grep -o 'http://[0-9.]*:[0-9]*' "$folder/out" | head -1)
  if [ -n "$users" ]; then echo "-- signed in as ${users%%:*}"; else echo "-- nobody signs in"; fi
  POTOK_AUTH=$users "$here/run.sh" "$base" || { tail -50 "$folder/log" >&2; exit 1; }
  kill "$server"
  wait "$server" || true
  server=
done

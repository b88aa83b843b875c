#!/usr/bin/env bash
# The real clients against a server that nobody else uses: run.sh http://127.0.0.1:8080. They sign in as POTOK_AUTH says (user:password).
# Installs what package.json and requirements.txt pin into node_modules and .venv beside this file.
set -euo pipefail
cd "$(dirname "$0")"
base=${1%/}
if [ ! -d node_modules ]; then
  if ! command -v npm >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm
  fi
  npm ci --no-audit --no-fund --silent
fi
if [ ! -d .venv ]; then
  python3 -m venv .venv 2>/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv && python3 -m venv .venv; }
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
fi
node camunda7.mjs "$base/engine-rest"
.venv/bin/python camunda7_python3.py "$base/engine-rest"
.venv/bin/python camunda_client_engine.py "$base/engine-rest"
node flowable.mjs "$base"
.venv/bin/python flowable_python.py "$base"

#!/bin/bash
# The real clients against a server: run.sh http://127.0.0.1:8080. Each needs an engine that nobody else uses.
# Installs what package.json and requirements.txt pin into node_modules and .venv beside this file.
set -e
here=$(cd "$(dirname "$0")" && pwd); base=${1%/}
cd "$here"
[ -d node_modules ] || npm install --no-audit --no-fund --silent
[ -d .venv ] || { python3 -m venv .venv; .venv/bin/pip install -q -r requirements.txt; }
node camunda7.mjs "$base/engine-rest"
.venv/bin/python camunda7_python3.py "$base/engine-rest"
.venv/bin/python camunda_client_engine.py "$base/engine-rest"
node flowable.mjs "$base"
.venv/bin/python flowable_python.py "$base"

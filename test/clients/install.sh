#!/usr/bin/env bash
# Installs the Python clients of requirements.txt into .venv, from PyPI, without resolving anything,
# and those npm clients into .clients whose peers do not go with our own packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .clients
cp test/clients/npm/package*.json .clients/
npm ci --prefix .clients --legacy-peer-deps --ignore-scripts --no-audit --no-fund --loglevel=error
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
  -r test/clients/requirements.txt

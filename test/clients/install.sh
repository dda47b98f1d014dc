#!/usr/bin/env bash
# Installs the Python clients of requirements.txt into .venv, from PyPI, without resolving anything.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
  -r test/clients/requirements.txt

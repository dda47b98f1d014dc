#!/usr/bin/env bash
# The sound tower from nothing:   models/starter/audio/run.sh DATA TEACHERS PACKAGES WORK [SECONDS] [THREADS]
#   DATA      esc10/, moodist_sounds/, sounds_open/, captions/       TEACHERS  audio/mn04_as.onnx, audio/class_labels_indices.csv
#   PACKAGES  a folder of unpacked Debian packages (fetch_packages.sh)   WORK  pools and checkpoints, about 5 GB
set -euo pipefail
data=$(realpath "$1") teachers=$(realpath "$2") packages=$(realpath "$3") work=$(realpath -m "$4") seconds=${5:-3900} threads=${6:-2}
cd "$(dirname "$0")/../.."
python="python3 -W ignore -m starter.audio"
$python.sources "$data" "$packages" "$work"
$python.head "$data" "$teachers" "$work" "$work"
for seed in 0 1 2 3; do $python.pool "$work" "$teachers/audio/mn04_as.onnx" "$seed" 16500 & done; wait
$python.train "$work" "$seconds" "$threads" 2>&1 | tee "$work/train.log"
$python.export "$work" starter-clap
python3 starter/write_manifests.py
$python.evaluate "$data" "$teachers" "$work" starter-clap

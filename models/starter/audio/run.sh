#!/usr/bin/env bash
# The sound tower from nothing:   models/starter/audio/run.sh DATA TEACHERS PACKAGES WORK [SECONDS] [THREADS]
#   DATA      esc10/, moodist_sounds/, sounds_open/, captions/       TEACHERS  audio/mn04_as.onnx, audio/class_labels_indices.csv
#   PACKAGES  a folder of unpacked Debian packages (fetch_packages.sh)   WORK  recordings, pools and checkpoints, about 5 GB
# SECONDS is the length of the training alone. ffmpeg, fluidsynth with fluid-soundfont-gm, espeak-ng and a C++ compiler are needed.
set -euo pipefail
data=$(realpath "$1") teachers=$(realpath "$2") packages=$(realpath "$3") work=$(realpath -m "$4") seconds=${5:-4200} threads=${6:-2}
cd "$(dirname "$0")/../.."
python="python3 -W ignore -m starter.audio"
$python.sources "$data" "$packages" "$work"
$python.overlap "$work"
$python.head "$data" "$teachers" "$work" "$work"
pools=()
for seed in 0 1; do $python.pool "$work" "$teachers/audio/mn04_as.onnx" "$seed" 30000 & pools+=($!); done
for pool in "${pools[@]}"; do wait "$pool"; done
$python.train "$work" "$seconds" "$threads" 2>&1 | tee -a "$work/train.log"
$python.export "$work" starter-clap
$python.calibrate "$work" starter-clap    # the prompt and the logit scale, to be written into the manifest by hand
python3 starter/write_manifests.py
$python.evaluate "$teachers" "$work" starter-clap

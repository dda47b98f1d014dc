"""Log-mel statistics and embedding of sound files: golden values.   python -m starter.audio.golden PACK FILE...

Files at 32 kHz are read as they are, their channels averaged; others are resampled by ffmpeg, so give 32 kHz files where
a comparison must be exact.
"""
import json
import sys
from pathlib import Path

import numpy as np
import soundfile

from . import frontend, sources
from .evaluate import onnx_run, student_vectors

SECONDS = 10


def samples(path):
    """-> float32 mono at 32 kHz, full scale 1"""
    if Path(path).suffix.lower() in (".wav", ".flac"):
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate == frontend.RATE:
            return x.mean(1)
    return sources.decode(path).astype(np.float32) / 32768


def main(pack, *files):
    run, result = onnx_run(Path(pack) / "audio.onnx"), {}
    for file in files:
        x = samples(file)
        mel = frontend.student_mel(frontend.power(frontend.fill(x, SECONDS))).numpy()
        result[Path(file).name] = {
            "samples": len(x), "melShape": list(mel.shape), "melMean": float(mel.mean()), "melStd": float(mel.std()),
            "melMin": float(mel.min()), "melMax": float(mel.max()), "melFrame0": [round(float(v), 6) for v in mel[:, 0]],
            "melFrame100": [round(float(v), 6) for v in mel[:, 100]],
            "embedding": [round(float(v), 6) for v in student_vectors(run, [x * 32768])[0]]}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])

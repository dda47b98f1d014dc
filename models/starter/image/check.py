"""What a finished image tower must keep.   python -m starter.image.check DATA PACKAGES WORK PACK

Cosine to the same head over the float32 backbone, and batch against single, on held-out pictures of several kinds.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import backbone_int8, data, pixels
from .split import SPLITS


def main(data_folder, packages, work, pack, count=160):
    torch.set_num_threads(1)
    items = [t for t in data.items(data_folder, packages, work, json.loads(SPLITS.read_text())) if t.part in ("test", "seen_test")]
    rng = np.random.default_rng(0)
    pictures = [pixels.load(items[i].path) for i in rng.choice(len(items), count, replace=False)]
    whole, exact = (backbone_int8.session(path) for path in (Path(pack) / "image.onnx", Path(work) / "image_fp32.onnx"))
    batch, reference = backbone_int8.run(whole, pictures), backbone_int8.run(exact, pictures)
    single = backbone_int8.run(whole, pictures[:24], batch=1)
    cosine = (batch * reference).sum(1)
    print(f"cosine to float32 mean {cosine.mean():.4f}, min {cosine.min():.4f}; batch against single max {np.abs(batch[:24] - single).max():.1e}; "
          f"length {np.linalg.norm(batch, axis=1).min():.6f}-{np.linalg.norm(batch, axis=1).max():.6f}")
    assert cosine.mean() > 0.975 and np.abs(batch[:24] - single).max() < 1e-5


if __name__ == "__main__":
    main(*sys.argv[1:5])

"""Everything before training: the 8-bit backbone and the features.   python -m starter.image.prepare DATA PACKAGES WORK"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import backbone_int8, data, features
from .split import SPLITS

SEED = 0


def main(data_folder, packages, work):
    torch.set_num_threads(1)
    work = Path(work)
    items = data.items(data_folder, packages, work, json.loads(SPLITS.read_text()))
    if not (work / "backbone_int8.onnx").exists():
        backbone_int8.make([i for i in items if i.part == "train"], work, np.random.default_rng(SEED))
    features.extract(items, work, SEED)
    features.mosaics(items, work, SEED)


if __name__ == "__main__":
    main(*sys.argv[1:4])

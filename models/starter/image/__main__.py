"""The whole pack by one command, half an hour on one core.   python -m starter.image DATA TEACHERS PACKAGES WORK PACK

DATA: photos/, openclipart_meta/, emoji_labels/, captions/. TEACHERS: text/, image/. PACKAGES: the unpacked pictures (README.md).
Features and texts already in WORK are used again.
"""
import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
from pathlib import Path

from . import export, prepare, texts, train


def main(data_folder, teachers, packages, work, pack):
    Path(work).mkdir(parents=True, exist_ok=True)
    prepare.main(data_folder, packages, work)
    if not (Path(work) / "texts.pt").exists():
        texts.main(data_folder, teachers, packages, work)
    train.main(data_folder, teachers, packages, work)
    export.main(work, pack)


main(*sys.argv[1:6])

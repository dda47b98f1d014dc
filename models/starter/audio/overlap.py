"""Does training hear a held-out recording under another name?   python -m starter.audio.overlap WORK [STAMPS]

Open collections share recordings. The first two seconds of every clip, as a log-mel picture with each band's mean taken
out, are compared by correlation over shifts of up to .4 s; copies through another encoder stay above .9. STAMPS: the sounds of
Tux Paint too (stamps.py).
"""
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from . import frontend, sources, stamps

SECONDS, FRAMES, SHIFTS, COPY = 2, 80, range(0, 21, 2), 0.9


def pictures(clips):
    """-> log-mel of the first two seconds, [n, 64, 100]"""
    result = []
    for clip in clips:
        x = frontend.fill(clip[: SECONDS * frontend.RATE].astype(np.float32) / 32768, SECONDS)
        result.append(frontend.student_mel(frontend.power(x / (np.abs(x).max() + 1e-6)))[:, :100])
    return torch.stack(result)


def cut(mels, start):
    piece = mels[:, :, start:start + FRAMES]
    return F.normalize((piece - piece.mean(2, keepdim=True)).flatten(1), dim=1)


def main(work, stamp_folder=None):
    work = Path(work)
    names, _, clips, _ = sources.load(work / "clips.npz")
    held_names, held_labels, held, file = sources.load(work / "heldout.npz")
    paths = list(file["paths"])
    if stamp_folder is not None:
        stamp_names, stamp_clips = stamps.read(stamp_folder)
        held_names, held_labels = np.append(held_names, ["tuxpaint"] * len(stamp_names)), np.append(held_labels, stamp_names)
        held, paths = held + stamp_clips, paths + stamp_names
    heard, left_out = pictures(clips), pictures(held)
    best, where = torch.full((len(held),), -1.0), torch.zeros(len(held), dtype=torch.long)
    for shift in SHIFTS:
        for a, b in ((shift, 0), (0, shift)):
            value, index = (cut(left_out, a) @ cut(heard, b).T).max(1)
            where, best = torch.where(value > best, index, where), torch.maximum(best, value)
    for source in np.unique(held_names):
        print(f"{source}: {int((best[torch.from_numpy(held_names == source)] > COPY).sum())} of {(held_names == source).sum()} heard in training")
    for i in torch.nonzero(best > COPY).flatten().tolist():
        print(f"  {best[i]:.3f} {paths[i]} ({held_labels[i]}) <- {names[where[i]]}")


if __name__ == "__main__":
    main(*sys.argv[1:3])

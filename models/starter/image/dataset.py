"""The prepared features and texts as tensors, and batches drawn from them."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import data, features, texts
from .split import SPLITS


@dataclass
class Rows:
    """Pictures of one kind: features [n, 1280], name (position in `names`), side (0: as it is), full (row of the same picture at full size)."""
    features: torch.Tensor
    name: torch.Tensor
    side: torch.Tensor
    full: torch.Tensor


class Dataset:
    def __init__(self, data_folder, teachers, packages, work):
        work = Path(work)
        self.items = data.items(data_folder, packages, work, json.loads(SPLITS.read_text()))
        self.text = torch.load(work / "texts.pt")
        self.names = self.text["names"]
        at = {n: i for i, n in enumerate(self.names)}
        self.index, self.side, every = features.load(work)
        self.every = torch.from_numpy(every).float()
        self.name = torch.tensor([at.get(self.items[i].name, -1) for i in self.index])
        full = {i: row for row, (i, s) in enumerate(zip(self.index, self.side)) if s == 0}
        self.full = torch.tensor([full[i] for i in self.index])
        self.source = np.array([self.items[i].source for i in self.index])
        self.part = np.array([self.items[i].part for i in self.index])
        first = {group[0].lower(): k for k, group in reversed(list(enumerate(data.imagenet_synonyms(teachers))))}
        self.imagenet_of = torch.tensor([first.get(n.lower(), -1) for n in self.names])  # -1: no such ImageNet name
        self.scenes = {}
        for part in ("train", "valid", "test"):
            file, cache = np.load(work / f"features/mosaics_{part}.npz"), work / f"scene_texts_{part}.pt"
            if not cache.exists():
                torch.save(texts.scene_vectors(self.items, file["plan"], 3), cache)
            self.scenes[part] = torch.from_numpy(file["features"]).float(), torch.load(cache), file["plan"]

    def rows(self, source, parts, low=None):
        """`low`: None both, False full size alone, True reduced alone."""
        keep = np.isin(self.source, source) & np.isin(self.part, parts)
        if low is not None:
            keep &= (self.side > 0) == low
        r = torch.from_numpy(np.flatnonzero(keep))
        return Rows(self.every[r], self.name[r], torch.from_numpy(self.side)[r], self.full[r])


def balanced(rows, power=0.75):
    """Sampling weights that lift rare names."""
    count = torch.bincount(rows.name.clamp(min=0)).float()
    return count[rows.name.clamp(min=0)] ** -power

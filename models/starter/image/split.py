"""Chooses the held-out names once.   python -m starter.image.split DATA TEACHERS PACKAGES WORK  -> splits.json: names and held-out files

Caltech: names that are no ImageNet synonym, so that not even the classifier knows them. Tiny-imagenet: 12 whole classes (the classifier
knows these names, no photo of theirs is trained on). Clip art and emoji: by a hash of the name.
"""
import json
import sys
from pathlib import Path

import numpy as np

from . import data, held_out

# Names of everyday photos: what ships should be trained with them.
EVERYDAY = {"chair", "ceiling fan", "rooster", "wrench", "motorbike", "airplane", "water lily", "brain", "ferry", "lobster", "crab", "snoopy the cartoon dog"}
SPLITS = Path(__file__).parent / "splits.json"


def main(data_folder, teachers, packages, work):
    rng = np.random.default_rng(7)
    every = data.items(data_folder, packages, work, {"test_names": [], "valid_names": [], "seen_test_share": 0})
    known = {n.lower() for group in data.imagenet_synonyms(teachers) for n in group}
    names = {s: sorted({i.name for i in every if i.source == s}) for s in ("caltech", "tiny", "clipart", "emoji")}
    fresh = [n for n in names["caltech"] if n.lower() not in known and not n.startswith("face of a person")]
    order = rng.permutation(len(fresh))
    tiny = rng.permutation(len(names["tiny"]))
    photos = names["caltech"] + names["tiny"]  # a drawing's name does not hold out a name of the photos
    drawn = [n for s in ("clipart", "emoji") for n in names[s] if not data.mentions(n, photos) and not any(data.mentions(p, [n]) for p in photos)]
    caltech = [fresh[i] for i in order[:20] if fresh[i] not in EVERYDAY]
    test = caltech + [names["tiny"][i] for i in tiny[:12]] + [n for n in drawn if data.share(n, "drawn") < 0.15]
    valid = [fresh[i] for i in order[20:34]] + [names["tiny"][i] for i in tiny[30:45]] + [n for n in drawn if 0.15 <= data.share(n, "drawn") < 0.22]
    splits = {"test_names": sorted(set(test)), "valid_names": sorted(set(valid) - set(test)), "seen_test_share": 0.1}
    splits["sets"] = held_out.photo_sets(data.items(data_folder, packages, work, splits))
    SPLITS.write_text(json.dumps(splits, indent=None, separators=(",", ":")) + "\n")
    print({s: len(n) for s, n in names.items()}, "test", len(set(test)), "valid", len(set(valid)))
    print("Caltech test:", caltech)


if __name__ == "__main__":
    main(*sys.argv[1:5])

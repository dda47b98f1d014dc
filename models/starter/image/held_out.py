"""The held-out photos and their label sets, as `splits.json` lists them for every evaluation, the server's included."""
import numpy as np

ARCHIVES = {"caltech": "photos/caltech101-train.tar", "tiny": "photos/tiny-imagenet-train-30k.tar"}
MOST = {("caltech", "test"): 15, ("caltech", "seen_test"): 5, ("tiny", "test"): 12, ("tiny", "seen_test"): 3}
TITLES = {"caltech": "Caltech", "tiny": "tiny-imagenet", "test": "names left out", "seen_test": "other names"}


def photo_sets(items, seed=5):
    """-> {title: {"archive", "labels", "files": {member: position of its label}}}. Labels are all names of the source."""
    rng, result = np.random.default_rng(seed), {}
    for (source, part), most in MOST.items():
        labels, found = sorted({t.name for t in items if t.source == source}), {}
        for i in rng.permutation([i for i, t in enumerate(items) if t.source == source and t.part == part]):
            found.setdefault(items[i].name, []).append(items[i])
        files = {t.key.split("/", 1)[1]: labels.index(t.name) for name in sorted(found) for t in found[name][:most]}
        result[f"{TITLES[source]}, {TITLES[part]}"] = {"source": source, "archive": ARCHIVES[source], "labels": labels, "files": files}
    return result

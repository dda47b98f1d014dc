"""Features of every picture that training or validation needs.   -> WORK/features/{source}.npz

Views: `side` 0 is the picture as it is; another number is the picture first brought down to that many pixels.
"""
import numpy as np

from . import backbone_int8, pixels

FULL = {"caltech": 70, "background": 200, "tiny": 40, "clipart": 4, "emoji": 2}  # pictures of one name at most
LOW_SHARE = {"caltech": 0.7, "background": 0.3, "tiny": 1.0, "clipart": 0.4, "emoji": 0.4}
SIDES = {"tiny": (24, 32, 32, 32, 40, 48), "other": (24, 32, 32, 40, 48, 64, 96)}


def extract(items, work, seed):
    """Rows of a file: index into `items`, side, features."""
    folder = work / "features"
    folder.mkdir(exist_ok=True)
    backbone = backbone_int8.session(work / "backbone_int8.onnx")
    for source, most in FULL.items():
        if (folder / f"{source}.npz").exists():
            continue
        rng = np.random.default_rng(seed)
        taken, jobs = {}, []
        for i in rng.permutation([i for i, item in enumerate(items) if item.source == source]):
            name, part = items[i].name, items[i].part
            if taken.setdefault((name, part), 0) < (most if part == "train" else most // 4 + 1):
                taken[name, part] += 1
                jobs.append((i, 0))
                if rng.random() < LOW_SHARE[source]:
                    jobs.append((i, int(rng.choice(SIDES.get(source, SIDES["other"])))))
        found = []
        for start in range(0, len(jobs), 256):
            part = jobs[start:start + 256]
            pictures = [pixels.load(items[i].path) if side == 0 else pixels.degrade(pixels.load(items[i].path), side, rng) for i, side in part]
            found.append(backbone_int8.run(backbone, pictures).astype(np.float16))
            print(f"{source}: {start + len(part)} of {len(jobs)}", flush=True)
        np.savez(folder / f"{source}.npz", index=np.array([j[0] for j in jobs]), side=np.array([j[1] for j in jobs]), features=np.concatenate(found))


def pair_plan(items, part, count, rng):
    """Two pictures of different names and a layout. Held-out scenes are photos alone, of held-out names and unseen pictures of others."""
    parts, sources = ((part,), FULL) if part == "train" else ((part, "seen_test"), ("caltech", "tiny"))
    pool = [i for i, item in enumerate(items) if item.part in parts and item.source in sources and item.name]
    names = sorted({items[i].name for i in pool})
    by_name = {n: [i for i in pool if items[i].name == n] for n in names}
    held = [n for n in names if items[by_name[n][0]].part == part]
    plan = []
    for _ in range(count):
        one = held[rng.integers(len(held))]
        two = names[rng.integers(len(names))]
        if two != one:
            plan.append((rng.choice(by_name[one]), rng.choice(by_name[two]), int(rng.integers(3))))
    return plan


def mosaics(items, work, seed):
    """WORK/features/mosaics_{part}.npz: indices of both pictures, layout, features."""
    backbone = backbone_int8.session(work / "backbone_int8.onnx")
    for part, count in (("train", 3000), ("valid", 250), ("test", 300)):
        path = work / f"features/mosaics_{part}.npz"
        if path.exists():
            continue
        plan = pair_plan(items, part, count, np.random.default_rng(seed))
        found = []
        for start in range(0, len(plan), 256):
            pictures = [pixels.mosaic(pixels.load(items[a].path), pixels.load(items[b].path), c) for a, b, c in plan[start:start + 256]]
            found.append(backbone_int8.run(backbone, pictures).astype(np.float16))
        np.savez(path, plan=np.array(plan), features=np.concatenate(found))
        print(f"mosaics {part}: {len(plan)}", flush=True)


def load(work):
    """-> index [n], side [n], features [n, 1280] of all sources"""
    files = [np.load(work / f"features/{source}.npz") for source in FULL]
    return tuple(np.concatenate([f[key] for f in files]) for key in ("index", "side", "features"))

"""Figures of finished packs on the held-out pictures, from the files to the scores.

python -m starter.image.evaluate DATA TEACHERS PACKAGES WORK PACK [SKETCH]

SKETCH is a folder with image_int8.onnx and a text_head.safetensors of the first sketch, which has seen most of Caltech's and all of
tiny-imagenet's names in training, the held-out ones included.
"""
import json
import sys
from pathlib import Path

import numpy as np
import skimage
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from . import backbone_int8, data, pixels
from .split import SPLITS
from .texts import PROMPT, PAIR_FRAMES, Trunk
from .validate import retrieval, top

# What the photographs of the scikit-image package show, by hand.
HAND = {"astronaut.png": "an astronaut", "chelsea.png": "a cat", "coffee.png": "a cup of coffee", "rocket.jpg": "a rocket", "coins.png": "coins",
        "motorcycle_left.png": "a motorcycle", "camera.png": "a man with a camera", "brick.png": "a brick wall", "grass.png": "grass",
        "gravel.png": "gravel", "page.png": "a page of text", "clock_motion.png": "a clock", "hubble_deep_field.jpg": "galaxies in space",
        "moon.png": "the surface of the moon", "horse.png": "a horse", "retina.jpg": "the retina of an eye"}


def small(picture, side):
    return picture if side == 0 else pixels.square(picture, side)


class Pack:
    """Both towers; the text trunk is the shared one."""

    def __init__(self, image, head):
        self.session, self.head = backbone_int8.session(image), load_file(head)

    def images(self, pictures):
        return torch.from_numpy(backbone_int8.run(self.session, pictures))

    def text(self, vectors):
        return F.normalize(vectors @ self.head["weight"] + self.head["bias"], dim=1)


def main(data_folder, teachers, packages, work, pack, sketch=None):
    torch.set_num_threads(1)
    work = Path(work)
    items = data.items(data_folder, packages, work, json.loads(SPLITS.read_text()))
    packs = {"pack": Pack(Path(pack) / "image.onnx", Path(pack) / "text_head.safetensors")}
    if sketch:
        packs["sketch"] = Pack(Path(sketch) / "image_int8.onnx", Path(sketch) / "text_head.safetensors")
    trunk, table = Trunk(), {}

    def note(key, pack, value):
        table.setdefault(key, {})[pack] = round(value, 1)

    for title, photos in json.loads(SPLITS.read_text())["sets"].items():
        vectors, truth = trunk.embed([PROMPT.format(n) for n in photos["labels"]]), torch.tensor(list(photos["files"].values()))
        for side in (0, 32):
            pictures = [small(pixels.load(work / "photos" / photos["source"] / f), side) for f in photos["files"]]
            key = f"{title}{', 32 px' if side else ''} ({len(pictures)} pictures, {len(photos['labels'])} labels)"
            for name, p in packs.items():
                images = p.images(pictures)
                note(key, name, top(images, p.text(vectors), truth))
                if "left out" in title:  # the same pictures among the held-out names alone
                    held, place = torch.unique(truth, return_inverse=True)
                    note(key.replace(f"{len(photos['labels'])} labels", f"{len(held)} left-out labels"), name, top(images, p.text(vectors[held]), place))
    drawn = {}
    for item in items:
        if item.part == "test" and item.source in ("clipart", "emoji"):
            drawn.setdefault(item.name, item)
    pictures, vectors = [pixels.load(t.path) for t in drawn.values()], trunk.embed([PROMPT.format(n) for n in drawn])
    file = np.load(work / "features/mosaics_test.npz")
    scenes = [pixels.mosaic(pixels.load(items[a].path), pixels.load(items[b].path), c) for a, b, c in file["plan"]]
    sentences = trunk.embed([PAIR_FRAMES[i % len(PAIR_FRAMES)].format(items[a].name, items[b].name) for i, (a, b, _) in enumerate(file["plan"])])
    hand = [pixels.load(Path(skimage.__file__).parent / "data" / f) for f in HAND]
    captions = trunk.embed([PROMPT.format(n) for n in HAND.values()])
    for name, p in packs.items():
        for title, images, texts in ((f"drawings, names left out, text to image ({len(drawn)})", pictures, vectors),
                                     (f"scenes of two things, sentence to image ({len(scenes)})", scenes, sentences)):
            embedded, text = p.images(images), p.text(texts)
            for k in (1, 5, 10):
                note(f"{title} R@{k}", name, retrieval(embedded, text, k))
        note(f"scikit-image photographs ({len(hand)} labels)", name, top(p.images(hand), p.text(captions), torch.arange(len(hand))))
    for key, row in table.items():
        print(f"{key:75s} " + "  ".join(f"{n} {v:5.1f}" for n, v in row.items()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:7])

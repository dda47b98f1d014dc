"""Every text of the training as the shared trunk sees it (the 8-bit file that ships).   -> WORK/texts.pt

Names come alone, in the prompt template and in frames of ordinary sentences, so that the text head learns to keep the
things and drop the frame. Pairs of names become sentences too, for pictures of two things.
"""
import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from tokenizers import Tokenizer

from . import data
from .split import SPLITS

TRUNK = Path(__file__).resolve().parents[2] / "starter-text"
PROMPT = "a photo of a {}."
FRAMES = ("a close up of a {}", "a {} on a table", "there is a {} in the picture", "a man with a {}", "a {} in the grass", "a drawing of a {}",
          "two {}s next to each other", "a small {} on the street", "a woman looking at a {}", "a white {} in a room", "a blurry photo of a {}",
          "a {} in front of a house", "a large {} by the water", "a picture of the {}")
PAIR_FRAMES = ("a {} and a {}", "a {} next to a {}", "a photo of a {} and a {}.", "a {} with a {} in the background", "there is a {} and also a {}",
               "a man with a {} and a {}", "a {} sitting beside a {}", "a {} in front of a {}", "some {}s and a {}")
PAIRS, CAPTIONS = 5000, 1500


class Trunk:
    def __init__(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(TRUNK / "trunk.onnx"), options)
        self.tokens = Tokenizer.from_file(str(TRUNK / "tokenizer.json"))
        self.tokens.enable_truncation(77)
        self.tokens.enable_padding()

    def embed(self, texts, batch=48):
        """-> float32 tensor [len(texts), 384]"""
        result = torch.zeros(len(texts), 384)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), batch):
            rows = order[start:start + batch]
            encoded = self.tokens.encode_batch([texts[i] for i in rows])
            feeds = {"input_ids": np.array([e.ids for e in encoded], np.int64), "attention_mask": np.array([e.attention_mask for e in encoded], np.int64)}
            result[rows] = torch.from_numpy(self.session.run(None, feeds)[0])
        return result


def teacher_names(teachers):
    """CLIP's class vectors and their names: LVIS, 1203 classes."""
    folder = Path(teachers) / "text/clip_vit_b32_class_vectors"
    info = json.loads((folder / "lvis_v1_train_cat_info.json").read_text())
    names = [c["name"].replace("_", " ") for c in sorted(info, key=lambda c: c["id"])]
    vectors = torch.tensor(np.load(folder / "lvis_v1_clip_a+cname.npy")).float()
    return names, vectors if len(vectors) == len(names) else vectors.T.contiguous()


def scene_vectors(items, plan, seed):
    """One sentence for each picture of two things. -> [n, 384]"""
    rng = np.random.default_rng(seed)
    return Trunk().embed([PAIR_FRAMES[rng.integers(len(PAIR_FRAMES))].format(items[a].name, items[b].name) for a, b, _ in plan])


def main(data_folder, teachers, packages, work):
    rng, trunk = np.random.default_rng(1), Trunk()
    items = data.items(data_folder, packages, work, json.loads(SPLITS.read_text()))
    synonyms = data.imagenet_synonyms(teachers)
    imagenet = [group[0] for group in synonyms]
    names = sorted({i.name for i in items if i.name})
    trained = sorted({i.name for i in items if i.part == "train" and i.name})
    result = {"names": names, "imagenet": imagenet}

    def variants(words, frames):
        """[v, n, 384]: alone, in the prompt, in `frames` random sentences."""
        columns = [list(words), [PROMPT.format(w) for w in words]]
        columns += [[FRAMES[rng.integers(len(FRAMES))].format(w) for w in words] for _ in range(frames)]
        return trunk.embed([t for c in columns for t in c]).view(len(columns), len(words), -1)

    result["name_vectors"] = variants(names, 2)
    result["imagenet_vectors"] = variants(imagenet, 3)
    flat = [n for group in synonyms for n in group]
    owner = torch.tensor([i for i, group in enumerate(synonyms) for _ in group])
    mean = torch.zeros(1000, 384).index_add_(0, owner, trunk.embed(flat)) / torch.bincount(owner)[:, None]
    result["imagenet_mean"] = (mean + result["imagenet_vectors"][:2].mean(0)) / 2
    lvis, clip = teacher_names(teachers)
    result["lvis_vectors"], result["lvis_clip"] = trunk.embed([f"a {n}" for n in lvis]), clip
    # Pairs over ImageNet's names (0-999) and the trained names (1000 and up).
    pool = imagenet + trained
    pairs = np.stack([rng.permutation(len(pool))[:2] for _ in range(PAIRS)])
    sentences = [PAIR_FRAMES[rng.integers(len(PAIR_FRAMES))].format(pool[a], pool[b]) for a, b in pairs]
    result["trained"], result["pairs"], result["pair_vectors"] = trained, torch.tensor(pairs), trunk.embed(sentences)
    with open(Path(data_folder) / "captions/audiocaps_train.csv", newline="") as file:
        captions = [row["caption"] for row in csv.DictReader(file)]
    result["captions"] = trunk.embed([captions[i] for i in rng.choice(len(captions), CAPTIONS, replace=False)])
    torch.save(result, Path(work) / "texts.pt")
    print(f"texts: {len(names)} names, {len(pairs)} pairs", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])

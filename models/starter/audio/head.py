"""The audio-text space, fixed before the student is trained.   -> WORK/space.pt, WORK/labels.pt, OUT/text_head.safetensors

text:   t = unit((MiniLM(text) - m) G)
audio:  a = unit(2 s softmax(g logits) T + o)      logits: the teacher's 527 AudioSet classes

T starts as the classes' own text vectors and is pulled back to them; G starts as the identity and is pulled back to it.
Trained with symmetric InfoNCE on three kinds of pairs: labelled recordings with their label; class prototypes (the
direction in the teacher's hidden layer that raises one class) with the class name; captions that name classes with
pseudo-hidden vectors in which those classes are raised. Near-duplicate texts are no negatives of each other.
"""
import csv
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from ..text.minilm import TextTrunk, embed
from . import frontend, pool, sources

TEMPLATES = ("{}", "the sound of {}", "a recording of {}")
STEPS, LEARNING_RATE, PULL_T, PULL_G = 500, 2e-3, 0.02, 0.05
# Words of file names that say nothing about the sound.
NOISE_WORDS = {"of", "adafruit", "misc", "sonic", "pi", "sound", "sounds", "web", "build", "hurt", "idle", "death", "die", "new", "ambient", "default"}


def clean_label(text):
    words = [w for w in re.sub(r"[^a-z ]", " ", text.lower()).split() if w not in NOISE_WORDS]
    return " ".join(w for i, w in enumerate(words) if w not in words[:i])


def class_synonyms(teachers):
    with open(Path(teachers) / "audio/class_labels_indices.csv", newline="") as file:
        names = [row["display_name"].lower() for row in csv.DictReader(file)]
    return [[part.strip(" ()") for part in re.split(r",|\(", name)] for name in names]


def mean_text(groups, trunk):
    """Mean over templates and synonyms. [[str]] -> [n, 384]"""
    flat = [template.format(text) for group in groups for text in group for template in TEMPLATES]
    vectors, result, at = embed(flat, trunk), [], 0
    for group in groups:
        n = len(group) * len(TEMPLATES)
        result.append(vectors[at:at + n].mean(0))
        at += n
    return torch.stack(result)


def classifier(teacher_path):
    """The teacher's last layer: the one matrix product that gives 527 numbers from 512."""
    values = [numpy_helper.to_array(i) for i in onnx.load(teacher_path).graph.initializer]
    [weight] = [v for v in values if v.shape in ((527, 512), (512, 527))]
    [bias] = [v for v in values if v.shape == (527,)]
    return torch.tensor(weight if weight.shape[0] == 527 else weight.T.copy()), torch.tensor(bias)


class Space(nn.Module):
    def __init__(self, class_vectors, mean):
        super().__init__()
        self.register_buffer("m", mean)
        self.G = nn.Parameter(torch.eye(384))
        self.T = nn.Parameter(F.normalize(class_vectors - mean, dim=1))
        self.register_buffer("T0", self.T.detach().clone())
        self.g, self.s = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.tensor(1.0))
        self.o = nn.Parameter(torch.zeros(384))
        self.log_scale = nn.Parameter(torch.tensor(15.0).log())

    def text(self, vectors):
        return F.normalize((vectors - self.m) @ self.G, dim=1)

    def audio(self, logits):
        return F.normalize(2 * self.s * F.softmax(self.g * logits, 1) @ self.T + self.o, dim=1)


def info_nce(a, t, scale, same=0.85):
    with torch.no_grad():
        duplicate = (t @ t.T > same) & ~torch.eye(len(t), dtype=torch.bool)
    logits = (a @ t.T * scale).masked_fill(duplicate, -1e4)
    target = torch.arange(len(a))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def caption_classes(captions, synonyms):
    """Which classes a caption names, by whole words. -> indices of captions that name any, multi-hot [n, 527]"""
    patterns = [re.compile(r"\b(" + "|".join(re.escape(w) + "(?:s|es|ing)?" for w in group) + r")\b") for group in synonyms]
    rows, hits = [], []
    for i, caption in enumerate(captions):
        hit = [bool(p.search(caption.lower())) for p in patterns]
        if any(hit):
            rows.append(i)
            hits.append(hit)
    return rows, torch.tensor(hits, dtype=torch.float32)


def main(data, teachers, work, out, seed=0):
    torch.manual_seed(seed)
    rng, work, data = np.random.default_rng(seed), Path(work), Path(data)
    teacher_path = Path(teachers) / "audio/mn04_as.onnx"
    trunk, synonyms = TextTrunk(), class_synonyms(teachers)
    with open(data / "captions/audiocaps_train.csv", newline="") as file:
        captions = [row["caption"] for row in csv.DictReader(file)]
    captions = [captions[i] for i in rng.choice(len(captions), 9000, replace=False)]
    named, hits = caption_classes(captions, synonyms)
    captions = [captions[i] for i in named]
    caption_text, class_text = embed(captions, trunk), mean_text(synonyms, trunk)

    names, raw_labels, clips, _ = sources.load(work / "clips.npz")
    labels = [clean_label(text) for text in raw_labels]
    rows = [i for i, label in enumerate(labels) if label]
    session = pool.teacher(teacher_path)
    _, logits, hidden = pool.label_clips([frontend.fill(clips[i][: pool.LENGTH] / 32768, pool.SECONDS).astype(np.float32) for i in rows], session)
    real_logits, real_hidden = torch.tensor(logits), torch.tensor(hidden)
    unique = sorted({labels[i] for i in rows})
    label_vectors = dict(zip(unique, mean_text([[u] for u in unique], trunk)))
    real_text = torch.stack([label_vectors[labels[i]] for i in rows])
    trust = torch.tensor([3.0 if names[i] in ("esc10", "moodist") else 1.0 for i in rows])

    weight, bias = classifier(str(teacher_path))
    mean_hidden = real_hidden.mean(0)
    covariance = torch.cov(real_hidden.T)
    raise_class = covariance @ weight.T
    raise_class = raise_class / (weight.T * raise_class).sum(0)  # each column lifts its own logit by one

    def pseudo_logits(hit, rows):
        base = mean_hidden + float(rng.uniform(0.2, 0.8)) * (real_hidden[rng.integers(0, len(real_hidden), rows)] - mean_hidden)
        target = torch.tensor(rng.uniform(-2, 2.5, rows), dtype=torch.float32)[:, None]
        share = hit / hit.sum(1, keepdim=True).clamp(min=1) ** 0.5
        for _ in range(2):
            base = base + ((target - (base @ weight.T + bias)).clamp(min=0) * share) @ raise_class.T
        return base @ weight.T + bias

    mean = torch.cat([class_text, caption_text[:1000]]).mean(0)
    space = Space(class_text, mean)
    optimizer = torch.optim.AdamW(space.parameters(), LEARNING_RATE, weight_decay=0.0)
    identity, n = torch.eye(527), 192
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / 20) * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
        scale = space.log_scale.exp().clamp(max=60)
        pick = torch.multinomial(trust, n)
        loss = info_nce(space.audio(real_logits[pick]), space.text(real_text[pick]), scale)
        pick = torch.tensor(rng.choice(527, n, replace=False))
        loss = loss + info_nce(space.audio(pseudo_logits(identity[pick], n)), space.text(class_text[pick]), scale)
        pick = torch.tensor(rng.choice(len(captions), n, replace=False))
        loss = loss + info_nce(space.audio(pseudo_logits(hits[pick], n)), space.text(caption_text[pick]), scale)
        loss = loss + PULL_T * ((space.T - space.T0) ** 2).sum() + PULL_G * ((space.G - torch.eye(384)) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 99:
            print(f"head step {step + 1}: loss {loss.item():.3f}, g {space.g.item():.2f}, s {space.s.item():.2f}, scale {scale.item():.1f}", flush=True)

    with torch.no_grad():
        torch.save(space.state_dict(), work / "space.pt")
        Path(out).mkdir(parents=True, exist_ok=True)
        save_file({"weight": space.G.detach().contiguous(), "bias": -(space.m @ space.G).detach()}, Path(out) / "text_head.safetensors",
                  metadata={"format": "crossmodal-head", "kind": "linear", "normalize": "true"})
        torch.save({"labels": unique, "vectors": space.text(torch.stack([label_vectors[u] for u in unique]))}, work / "labels.pt")


if __name__ == "__main__":
    main(*sys.argv[1:5])

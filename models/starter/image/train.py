"""Trains the head.   python -m starter.image.train DATA TEACHERS PACKAGES WORK  -> WORK/head.pt

Losses: names of pictures (both directions), the classifier's word over 1000 names, the full-size word for a reduced
picture, sentences for pictures of two things, CLIP's neighbourhoods of 1203 names, and a pull of G to the identity.
"""
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from ..backbone import image_backbone
from .dataset import Dataset, balanced
from .head import Head
from .synthetic import Synthetic
from .validate import validate

B = 0.5  # weight of the untrained summand, by tune.py


@dataclass
class Config:
    steps: int = 500
    learning_rate: float = 5e-4
    text_rate: float = 3e-4
    decay: float = 0.5
    noise: float = 0.3
    low: float = 1.0        # weight of the losses on reduced pictures
    drawn: float = 0.5      # clip art and emoji
    scenes: float = 0.5     # mosaics
    average: float = 0.5    # averaged features
    relations: float = 1.0  # CLIP's Gram matrix
    identity: float = 5.0
    names: float = 1.0
    seed: int = 0


def name_losses(scale, images, vectors, name, duplicate):
    """Image to name over all trained names, and name to image inside the batch (all pictures of a name are right)."""
    logits = scale * images @ vectors.T
    right = F.one_hot(name, len(vectors)).bool()
    to_name = F.cross_entropy(logits.masked_fill(duplicate[name] & ~right, -1e4), name)
    unique, inverse = torch.unique(name, return_inverse=True)
    positive = (inverse[None] == torch.arange(len(unique))[:, None]).float()
    wrong_to_push = duplicate[unique][:, name] & (positive == 0)
    log = (scale * vectors[unique] @ images.T).masked_fill(wrong_to_push, -1e4).log_softmax(1)
    return to_name - 0.5 * ((log * positive).sum(1) / positive.sum(1)).mean()


def info_nce(scale, images, sentences):
    logits, target = scale * images @ sentences.T, torch.arange(len(images))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def divergence(p, log_q):
    return F.kl_div(log_q, p, reduction="batchmean")


def train(dataset, config, parts=("train", "valid"), log=None):
    """`parts`: validation names are trained too once the settings are chosen."""
    torch.manual_seed(config.seed)
    text, classifier = dataset.text, image_backbone()[1:]
    photos, tiny = (dataset.rows([s], parts) for s in ("caltech", "tiny"))
    drawn, background = dataset.rows(["clipart", "emoji"], parts), dataset.rows(["background"], parts)
    if config.low == 0:
        photos, drawn = (dataset.rows(s, parts, low=False) for s in (["caltech"], ["clipart", "emoji"]))
    base = torch.cat([dataset.rows(["caltech", "tiny"], parts, low=False).features])
    head = Head(base.mean(0), base.std(0) + 1e-4, classifier, text["imagenet_mean"]).train()
    teacher = lambda f: F.softmax(f @ classifier[0].T + classifier[1], 1)
    synthetic = Synthetic(dataset, classifier, parts)
    trained = torch.unique(torch.cat([photos.name, tiny.name, drawn.name]))
    place = torch.full((len(dataset.names),), -1)
    place[trained] = torch.arange(len(trained))
    plain = F.normalize(text["name_vectors"][0][trained] - head.m, dim=1)
    duplicate = plain @ plain.T > 0.6
    name_vectors = text["name_vectors"][:, trained]
    scene_features, scene_vectors, _ = dataset.scenes["train"]
    clip = F.normalize(text["lvis_clip"] - text["lvis_clip"].mean(0), dim=1)
    clip = F.softmax((clip @ clip.T).fill_diagonal_(-1) / 0.1, 1)
    pool = synthetic.pool(text, dataset)

    matrices = [p for n, p in head.named_parameters() if p.ndim > 1 and n != "G"]
    optimizer = torch.optim.AdamW([
        {"params": matrices, "weight_decay": config.decay}, {"params": [p for p in head.parameters() if p.ndim < 2], "weight_decay": 0.0},
        {"params": [head.G], "lr": config.text_rate, "weight_decay": 0.0}], lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [g["lr"] for g in optimizer.param_groups], total_steps=config.steps, pct_start=0.1)
    weights = {id(r): balanced(r) for r in (photos, tiny, drawn)}
    started = time.time()

    def draw(rows, n):
        return torch.multinomial(weights[id(rows)], n, replacement=True)

    for step in range(config.steps):
        scale = head.log_scale.exp().clamp(max=100)
        names = head.text(name_vectors[torch.randint(len(name_vectors), ())])
        imagenet = head.text(text["imagenet_vectors"][torch.randint(len(text["imagenet_vectors"]), ())])
        a, b, c = draw(photos, 96), draw(tiny, 128), draw(drawn, 64)
        made = torch.randint(1000, (96,))
        batch = [photos.features[a], tiny.features[b], drawn.features[c], background.features[torch.randint(len(background.features), (16,))], synthetic.draw(made)]
        full = [dataset.every[photos.full[a]], dataset.every[tiny.full[b]], dataset.every[drawn.full[c]], batch[3], batch[4]]
        clean = torch.cat(batch)
        x = clean + config.noise * head.sd * torch.randn_like(clean)
        h = head.repaired(x)
        log_p = F.log_softmax(head.logits(h), 1)
        z = head.trained(h, log_p.exp())
        with torch.no_grad():
            p = teacher(torch.cat(full))
        loss = config.names * name_losses(scale, z[:96], names, place[photos.name[a]], duplicate)
        loss = loss + 0.5 * name_losses(scale, z[96:224], names, place[tiny.name[b]], duplicate)
        loss = loss + config.drawn * name_losses(scale, z[224:288], names, place[drawn.name[c]], duplicate)
        loss = loss - (p * F.log_softmax(scale * z @ imagenet.T, 1)).sum(1).mean()
        # The repaired classifier: the word on the full-size picture, and the true name where it is one of the 1000.
        loss = loss + config.low * divergence(p, log_p)
        true = dataset.imagenet_of[tiny.name[b]]
        if config.low:
            loss = loss + 0.3 * config.low * F.nll_loss(log_p[96:224][true >= 0], true[true >= 0])
        if config.scenes and step % 2 == 0:
            j = torch.randint(len(scene_features), (96,))
            h = head.repaired(scene_features[j])
            loss = loss + config.scenes * info_nce(scale, head.trained(h, F.softmax(head.logits(h), 1)), head.text(scene_vectors[j]))
        if config.average and step % 2 == 1:
            j = torch.randint(len(pool["pairs"]), (64,))
            f = (synthetic.pick(pool["pairs"][j, 0]) + synthetic.pick(pool["pairs"][j, 1])) / 2
            h = head.repaired(f)
            loss = loss + config.average * info_nce(scale, head.trained(h, F.softmax(head.logits(h), 1)), head.text(pool["vectors"][j]))
        if step % 2 == 0:
            j = torch.randint(len(clip), (256,))
            lvis = head.text(text["lvis_vectors"])
            log_q = F.log_softmax((lvis[j] @ lvis.T).masked_fill(F.one_hot(j, len(lvis)).bool(), -1) / 0.1, 1)
            loss = loss - config.relations * (clip[j] * log_q).sum(1).mean()
            for vectors in (text["imagenet_mean"], text["captions"]):
                before, after = F.normalize(vectors - head.m, dim=1), head.text(vectors)
                loss = loss + config.identity * ((after @ after[:200].T) - (before @ before[:200].T)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if log and step % 100 == 99:
            log(f"step {step + 1}: loss {loss.item():.3f}, scale {scale.item():.1f}, l {head.l.item():.2f}, {time.time() - started:.0f} s")
    return head.eval()


def main(data_folder, teachers, packages, work):
    torch.set_num_threads(1)
    dataset = Dataset(data_folder, teachers, packages, work)
    head = train(dataset, Config(), log=lambda line: print(line, flush=True))
    head.B = B
    print(json.dumps(validate(head, dataset, B, "test")), flush=True)
    torch.save({"state": head.state_dict(), "B": B}, Path(work) / "head.pt")


if __name__ == "__main__":
    main(*sys.argv[1:5])

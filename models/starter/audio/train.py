"""Distils the teacher into the student.   python -m starter.audio.train WORK SECONDS THREADS

Ends by itself after SECONDS: the learning rate follows the time that has passed, not the steps. WORK/checkpoint.pt, every
five minutes, is where a run that was cut off goes on. The trunk runs compiled and in bfloat16 (weights, heads and losses
in float32): on a CPU with AVX512-BF16 that is 2.8 times the clips a second.

Loss on a batch of B clips: KL(softmax g l) + 20 BCE(l) + .5 (MSE + 1 - cos on the standardised hidden layer)
+ 3 (1 - cos v) + .5 InfoNCE(v, label text) on the clips whose recording carries a label.
Augmentation on the fly: roll in time, mixing in the power domain, frequency and time masks.
"""
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .head import clean_label, info_nce
from .student import Student

BATCH, PEAK_LR, HEAD_LR, WARM_UP, EMA = 32, 1.5e-3, 2.5e-3, 0.08, 0.998
CHECKPOINT_SECONDS = 300


def load_pools(work):
    pools = [np.load(p) for p in sorted(work.glob("pool*.npz"))]
    join = lambda name: np.concatenate([p[name] for p in pools])
    return {name: join(name) for name in ("mel", "logits", "hidden", "label", "source")}


def save(value, path):
    """Whole or not at all: an end in the middle leaves the file before."""
    torch.save(value, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def main(work, seconds, threads, seed=0):
    torch.manual_seed(seed)
    torch.set_num_threads(int(threads))
    work, seconds, rng = Path(work), float(seconds), np.random.default_rng(seed)
    data, space, labels = load_pools(work), torch.load(work / "space.pt"), torch.load(work / "labels.pt")
    mel, logits, hidden = (torch.from_numpy(data[k]) for k in ("mel", "logits", "hidden"))
    place = {text: i for i, text in enumerate(labels["labels"])}
    label_of = torch.tensor([place.get(clean_label(text), -1) for text in data["label"]])
    mean, spread = hidden.float().mean(0), hidden.float().std(0) + 0.05
    student = Student(space, logits.float().mean(0)).to(memory_format=torch.channels_last)
    hidden_head = nn.Linear(1280, 512)
    with torch.no_grad():
        target = F.normalize(student.of_classes(logits.float()), dim=1)
    trunk = list(student.trunk.parameters())
    heads = [*student.fc.parameters(), *student.residual.parameters(), *hidden_head.parameters()]
    optimizer = torch.optim.AdamW([
        {"params": [p for p in trunk if p.ndim > 1], "weight_decay": 2e-2, "peak": PEAK_LR},
        {"params": [p for p in trunk if p.ndim <= 1], "weight_decay": 0.0, "peak": PEAK_LR},
        {"params": heads, "weight_decay": 1e-2, "peak": HEAD_LR}])
    average = {k: v.detach().clone() for k, v in student.state_dict().items()}
    n, order, step, begin, running = len(mel), np.array([], int), 0, time.time(), 0.0
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint)
        student.load_state_dict(state["student"])
        hidden_head.load_state_dict(state["hidden_head"])
        optimizer.load_state_dict(state["optimizer"])
        average, step, begin, running = state["average"], state["step"], time.time() - state["elapsed"], state["running"]
        rng = np.random.default_rng([seed, step])
        print(f"goes on from step {step}", flush=True)
    told = saved = time.time()
    print(f"{n} clips, {int((label_of >= 0).sum())} with a label", flush=True)
    student.train()
    compiled = torch.compile(student.trunk)
    while (progress := (time.time() - begin) / seconds) < 1:
        if len(order) < BATCH:
            order = rng.permutation(n)
        pick, order = order[:BATCH], order[BATCH:]
        rate = (progress / WARM_UP) if progress < WARM_UP else 0.5 + 0.5 * np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * (rate + 0.003)
        x, l, v = mel[pick].float(), logits[pick].float(), target[pick]
        h = (hidden[pick].float() - mean) / spread
        own, weight, p = label_of[pick].clone(), torch.ones(BATCH), torch.sigmoid(l)
        x = torch.roll(x, int(rng.integers(0, 250)), 2)
        if rng.random() < 0.3:  # louder of two sounds in every cell; the target is a guess, so only the BCE sees it
            other, mixed = torch.from_numpy(rng.permutation(BATCH)), torch.from_numpy(rng.random(BATCH) < 0.5)
            gain = torch.from_numpy(rng.uniform(-1.5, 1.5, (BATCH, 1, 1)).astype(np.float32))
            x = torch.where(mixed[:, None, None], torch.logaddexp(x * 5, x[other] * 5 + gain) / 5, x)
            p = torch.where(mixed[:, None], torch.maximum(p, p[other]) * 0.9, p)
            weight[mixed], own[mixed] = 0, -1
        if rng.random() < 0.5:
            low = int(rng.integers(0, 57))
            x[:, low:low + int(rng.integers(1, 9))] = x.mean()
        if rng.random() < 0.5:
            start = int(rng.integers(0, 211))
            x[:, :, start:start + int(rng.integers(5, 40))] = x.mean()
        with torch.autocast("cpu", torch.bfloat16):
            features = compiled(F.avg_pool2d(x[:, None], (1, 2)).contiguous(memory_format=torch.channels_last))
        vector, out, features = student.of_features(features.float())
        g = student.g
        kl = F.kl_div(F.log_softmax(g * out, 1), F.log_softmax(g * l, 1), reduction="none", log_target=True).sum(1)
        guess = hidden_head(features)
        match = ((guess - h) ** 2).mean(1) + 1 - F.cosine_similarity(guess, h)
        loss = (weight * (kl + 0.5 * match + 3 * (1 - (vector * v).sum(1)))).sum() / weight.sum().clamp(min=1)
        loss = loss + 20 * F.binary_cross_entropy_with_logits(out, p)
        labelled = torch.flatten(torch.nonzero(own >= 0))
        if len(labelled) > 4:
            loss = loss + 0.5 * info_nce(vector[labelled], labels["vectors"][own[labelled]], 15.0)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([q for q in trunk + heads if q.grad is not None], 5.0)
        optimizer.step()
        step += 1
        running = 0.98 * running + 0.02 * loss.item()
        with torch.no_grad():
            for name, value in student.state_dict().items():
                average[name].mul_(EMA).add_(value, alpha=1 - EMA) if value.dtype.is_floating_point else average[name].copy_(value)
        if time.time() - told > 60:
            told = time.time()
            print(f"step {step}, epoch {step * BATCH / n:.2f}, {time.time() - begin:.0f} s, loss {running / (1 - 0.98 ** step):.3f}", flush=True)
        if time.time() - saved > CHECKPOINT_SECONDS:
            saved = time.time()
            save({"student": average, "seed": seed}, work / "student.pt")
            save({"student": student.state_dict(), "hidden_head": hidden_head.state_dict(), "optimizer": optimizer.state_dict(),
                  "average": average, "step": step, "elapsed": saved - begin, "running": running}, checkpoint)
    save({"student": average, "seed": seed}, work / "student.pt")
    checkpoint.unlink(missing_ok=True)
    print(f"end: {step} steps, {step * BATCH} clips, {step * BATCH / n:.2f} epochs", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])

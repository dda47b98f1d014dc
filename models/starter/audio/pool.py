"""Five-second training clips, augmented and labelled by the teacher.   -> WORK/pool{seed}-{first}.npz

A clip keeps the label of its recording only while it is one recording; mixtures and splices carry the teacher's word alone.
"""
import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from . import frontend, sources

SECONDS = 5
LENGTH = SECONDS * frontend.RATE
PART = 1000  # clips in a file, so that a run that is cut off keeps what it made
# Recordings of nature and daily life count for more than effects and speech of games.
WEIGHTS = {"esc10": 3.0, "moodist": 3.0, "klettres-data": 0.3, "hydrogen-drumkits": 0.5, "gm": 1.2, "openclonk": 0.6, "hedgewars-data": 0.6}
WILD = 1.6  # the sources of sounds_open, which name what is heard, and nature in packages


def teacher(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options)


def peak(x, level=1.0):
    return x * (level / (np.abs(x).max() + 1e-6))


class ClipMaker:
    def __init__(self, work, seed):
        self.rng = np.random.default_rng(seed)
        names, self.labels, self.clips, _ = sources.load(work / "clips.npz")
        self.names = names
        self.by_source = {s: np.flatnonzero(names == s) for s in np.unique(names)}
        self.order = list(self.by_source)
        weight = []
        for s in self.order:
            base = WEIGHTS.get(s, WILD if s.endswith(", nature") or (self.labels[self.by_source[s]] != "").any() else 1.0)
            weight.append(base * min(len(self.by_source[s]), 400) ** 0.5)
        self.weight = np.array(weight) / sum(weight)

    def speed(self, x, factor):
        n = int(len(x) / factor)
        return np.interp(np.arange(n) * factor, np.arange(len(x)), x).astype(np.float32)

    def one(self):
        """One recording, cut or repeated to five seconds. -> samples, source, label"""
        rng = self.rng
        source = self.order[rng.choice(len(self.order), p=self.weight)]
        i = rng.choice(self.by_source[source])
        x = self.clips[i]
        if len(x) > 3 * LENGTH:
            start = rng.integers(0, len(x) - 3 * LENGTH)
            x = x[start:start + 3 * LENGTH]
        x = x.astype(np.float32) / 32768
        label = self.labels[i]
        u = rng.random()
        if u < 0.3:
            x = self.speed(x, np.exp(rng.uniform(np.log(0.85), np.log(1.18))))
        elif u < 0.5:
            x = self.speed(x, np.exp(rng.uniform(np.log(0.4), np.log(2.5))))
            label = ""  # a dog at half speed is no dog
        if len(x) < LENGTH:
            gap = 0 if rng.random() < 0.4 else int(rng.uniform(0, 1) * frontend.RATE)
            y = np.concatenate([x, np.zeros(gap, np.float32)])
            x = np.tile(y, -(-2 * LENGTH // len(y)))
        start = rng.integers(0, len(x) - LENGTH + 1)
        return x[start:start + LENGTH], source, label

    def equalise(self, x):
        spectrum, hz = np.fft.rfft(x), np.fft.rfftfreq(len(x), 1 / frontend.RATE)
        corner = np.exp(self.rng.uniform(np.log(300), np.log(8000)))
        gain = 1 / (1 + (hz / corner) ** (2 * self.rng.integers(1, 3)))
        if self.rng.random() < 0.5:
            gain = 1 - gain
        floor = 10 ** (-self.rng.uniform(6, 30) / 20)
        return np.fft.irfft(spectrum * (gain * (1 - floor) + floor), len(x)).astype(np.float32)

    def noise(self):
        spectrum = np.fft.rfft(self.rng.standard_normal(LENGTH))
        colour = np.arange(1, len(spectrum) + 1.0) ** -self.rng.uniform(0, 1)
        return np.fft.irfft(spectrum * colour, LENGTH).astype(np.float32)

    def make(self):
        """-> samples [LENGTH], source, label"""
        rng = self.rng
        x, source, label = self.one()
        u = rng.random()
        if u < 0.30:
            y, _, _ = self.one()
            label = ""
            if u < 0.2:
                x = peak(x) + peak(y) * 10 ** (rng.uniform(-12, 6) / 20)
            else:
                cut = int(LENGTH * rng.uniform(0.3, 0.7))
                x = np.concatenate([peak(x)[:cut], peak(y)[cut:]])
        if rng.random() < 0.15:
            x = self.equalise(x)
        if rng.random() < 0.15:
            y = self.noise()
            x = x / (x.std() + 1e-9) + y / y.std() * 10 ** (-rng.uniform(3, 30) / 20)
        return peak(x, 10 ** (-rng.uniform(0, 15) / 20)).astype(np.float32), source, label


def label_clips(clips, session):
    """[(samples, …)] -> student mel [n, 64, 250] float16, teacher logits [n, 527], teacher hidden [n, 512]"""
    mels, logits, hidden = [], [], []
    for samples in clips:
        spectrum = frontend.power(samples)
        h, l = session.run(["hidden", "logits"], {"mel": frontend.teacher_mel(spectrum)[None, None].numpy()})
        mels.append(frontend.student_mel(spectrum)[:, :250].numpy().astype(np.float16))
        logits.append(l[0])
        hidden.append(h[0])
    return np.stack(mels), np.stack(logits), np.stack(hidden)


def main(work, teacher_path, seed, count):
    torch.set_num_threads(1)
    work, seed, count = Path(work), int(seed), int(count)
    maker, session = ClipMaker(work, seed), teacher(teacher_path)
    for done in range(0, count, PART):
        made = [maker.make() for _ in range(min(PART, count - done))]
        mels, logits, hidden = label_clips([m[0] for m in made], session)
        np.savez(work / f"pool{seed}-{done:06d}.npz", mel=mels, logits=logits.astype(np.float16), hidden=hidden.astype(np.float16),
                 source=[m[1] for m in made], label=[m[2] for m in made])
        print(f"pool {seed}: {done + len(made)} of {count}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])

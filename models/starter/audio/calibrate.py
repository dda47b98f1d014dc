"""Prompt and logit scale for the manifest, on the held-out clips.   python -m starter.audio.calibrate WORK PACK

The scale minimises the negative log likelihood of the true label among ten (it and nine others of its set, drawn with a
seed), each set counting the same.
"""
import sys
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from torch.nn import functional as F

from ..text.minilm import TextTrunk, embed
from .evaluate import label_sets, onnx_run, student_vectors

PROMPTS = [["{}"], ["the sound of {}"], ["a recording of {}"], ["this is a sound of {}"], ["{} can be heard"],
           ["the sound of {}", "{}"], ["the sound of {}", "a recording of {}", "{}"]]
SCALES = np.array([5, 7, 10, 12, 15, 18, 20, 22, 25, 30, 40, 50])
CHOICES = 10


def text_table(prompts, labels, head, trunk):
    """Mean over the prompts of unit vectors, renormalised: [labels, 384]"""
    vectors = sum(F.normalize(embed([p.format(label) for label in labels], trunk) @ head["weight"] + head["bias"], dim=1) for p in prompts)
    return F.normalize(vectors, dim=1).numpy()


def likelihood(similarity, truth, rng):
    """-> mean negative log likelihood of the true label among ten, and mean probability and accuracy, for each scale"""
    n, labels = similarity.shape
    nll, sure, right = np.zeros(len(SCALES)), np.zeros(len(SCALES)), 0.0
    for row, t in zip(similarity, truth):
        others = rng.permutation(np.delete(np.arange(labels), t))[:CHOICES - 1]
        s = row[[t, *others]]
        z = SCALES[:, None] * (s - s.max())
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        nll, sure, right = nll - np.log(p[:, 0]) / n, sure + p.max(1) / n, right + (s.argmax() == 0) / n
    return nll, sure, right


def main(work, pack, seed=0):
    sets, clips = label_sets(Path(work))
    head, trunk, run = load_file(Path(pack) / "text_head.safetensors"), TextTrunk(), onnx_run(Path(pack) / "audio.onnx")
    vectors = {key: student_vectors(run, [clips[i] for i in positions]) for key, (positions, _, _) in sets.items()}
    for prompts in PROMPTS:
        totals, shown = np.zeros(len(SCALES)), []
        for key, (_, truth, every) in sets.items():
            similarity = vectors[key] @ text_table(prompts, every, head, trunk).T
            index = np.array([every.index(label) for label in truth])
            nll, sure, right = likelihood(similarity, index, np.random.default_rng(seed))
            totals += nll / len(sets)
            shown.append((key, (similarity.argmax(1) == index).mean(), sure, right, nll))
        best = totals.argmin()
        print(f"\n{' + '.join(prompts)}: scale {SCALES[best]}, mean likelihood loss {totals[best]:.3f}")
        for key, top, sure, right, nll in shown:
            print(f"  {key:30s} top-1 {top:.3f}; of ten: right {right:.3f}, mean confidence {sure[best]:.3f}, own best scale {SCALES[nll.argmin()]}")
        print("  loss by scale: " + ", ".join(f"{s}: {v:.3f}" for s, v in zip(SCALES, totals)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""The pack's constants from held-out pictures.   python -m starter.image.calibrate DATA TEACHERS PACKAGES WORK

Prompt sets by accuracy among ten labels, half of the questions about names left out of training; and the logit scale at which softmax over
the ten labels is a fair probability (least negative log-likelihood).
"""
import sys

import numpy as np
import torch
from torch.nn import functional as F

from .dataset import Dataset
from .export import load_head
from .texts import Trunk

PROMPTS = (("{}",), ("a photo of a {}.",), ("a photo of a {}.", "{}"), ("a photo of a {}.", "a drawing of a {}.", "a blurry photo of a {}."),
           ("{}", "a photo of a {}.", "a picture of the {}", "a close up of a {}"))
SCALES = np.arange(8, 61, 1.0)


def questions(dataset, rng, labels=10, each=700):
    """-> rows, label positions [n, 10] with the true name first"""
    rows, choices = [], []
    for part in ("test", "seen_test"):
        for source in (["caltech"], ["tiny"], ["clipart", "emoji"]):
            pool = np.flatnonzero(np.isin(dataset.source, source) & (dataset.part == part) & ((dataset.side == 0) | (rng.random(len(dataset.side)) < 0.3)))
            names = np.unique(dataset.name[np.flatnonzero(np.isin(dataset.source, source))])
            for row in rng.choice(pool, min(each, len(pool)), replace=False):
                true = int(dataset.name[row])
                others = rng.choice(names[names != true], labels - 1, replace=False)
                rows.append(row)
                choices.append([true, *others])
    return torch.tensor(np.array(rows)), torch.tensor(np.array(choices))


@torch.no_grad()
def main(data_folder, teachers, packages, work):
    torch.set_num_threads(1)
    dataset, head, trunk = Dataset(data_folder, teachers, packages, work), load_head(work), Trunk()
    rows, choices = questions(dataset, np.random.default_rng(0))
    images = head(dataset.every[rows])
    used, position = torch.unique(choices, return_inverse=True)
    single = {t: head.text(trunk.embed([t.format(dataset.names[i]) for i in used])) for t in {t for p in PROMPTS for t in p}}
    for prompts in PROMPTS:
        labels = F.normalize(sum(single[t] for t in prompts), dim=1)
        cosine = torch.einsum("nd,nkd->nk", images, labels[position])
        right = 100 * cosine.argmax(1).eq(0).float().mean().item()
        loss = [-F.log_softmax(float(s) * cosine, 1)[:, 0].mean().item() for s in SCALES]
        best = int(np.argmin(loss))
        sure = F.softmax(float(SCALES[best]) * cosine, 1).max(1).values.mean().item()
        print(f"{right:.1f} % right, scale {SCALES[best]:.0f} (loss {loss[best]:.3f}, mean confidence {100 * sure:.1f} %)  {prompts}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])

"""Settings compared on validation names.   python -m starter.image.tune DATA TEACHERS PACKAGES WORK [NAME...]"""
import json
import sys

import torch

from .dataset import Dataset
from .train import Config, train
from .validate import validate

SETTINGS = {
    "recipe": {}, "no repair of small pictures": {"low": 0.0}, "first sketch's losses": {"low": 0.0, "drawn": 0.0, "scenes": 0.0},
    "scenes x2": {"scenes": 1.0, "average": 1.0}, "freer text head": {"text_rate": 1e-3, "identity": 2.0}, "decay x3": {"decay": 1.5},
    "low x2": {"low": 2.0}, "names x.4": {"names": 0.4}}


def main(data_folder, teachers, packages, work, *chosen):
    torch.set_num_threads(1)
    dataset = Dataset(data_folder, teachers, packages, work)
    for name in chosen or SETTINGS:
        head = train(dataset, Config(steps=400, **SETTINGS[name]), parts=("train",))
        for b in (0.0, 0.3, 0.6, 1.0):
            print(name, b, json.dumps(validate(head, dataset, b)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The training step of bench/training.ts in PyTorch. Usage: training_peer.py THREADS STEPS

For each line on stdin, `adamw` or `adamw-fused`, trains STEPS steps and prints {"ms": per step, "mib": peak memory}.
"""

import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F

threads, steps = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)
size, dimensions = 256, 512
batches = [tuple(F.normalize(torch.randn(size, dimensions), dim=1) for _ in "ab") for _ in range(steps)]
target = torch.arange(size)


def trainer(fused):
    a, b = torch.nn.Linear(dimensions, dimensions), torch.nn.Linear(dimensions, dimensions)
    for head in (a, b):
        torch.nn.init.eye_(head.weight)
        torch.nn.init.zeros_(head.bias)
    log_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))
    weights = [a.weight, b.weight]
    others = [a.bias, b.bias, log_scale]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=fused)

    def run():
        for x, y in batches:
            optimizer.zero_grad()
            logits = log_scale.exp() * F.normalize(a(x), dim=1) @ F.normalize(b(y), dim=1).T
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                log_scale.clamp_(max=math.log(100))

    return run


trainers = {"adamw": trainer(False), "adamw-fused": trainer(True)}
for line in sys.stdin:
    start = time.perf_counter()
    trainers[line.strip()]()
    ms = (time.perf_counter() - start) * 1000 / steps
    print(json.dumps({"ms": ms, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)

"""Scores and what scikit-learn makes of them, for evaluate.test.ts.

    python test/evaluation/sklearn_figures.py > test/evaluation/sklearn-figures.json

scikit-learn 1.9.1, numpy 2.
"""
import json

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    label_ranking_average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)

random = np.random.default_rng(4)
n, unknown, count = 60, 25, 5
labels = random.integers(0, count, n + unknown)
labels[:count] = range(count)
logits = random.normal(size=(n + unknown, count))
logits[np.arange(n), labels[:n]] += 1.3
scores = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 6)
known = scores[:n]
answers = known.argmax(1)
hits = (answers == labels[:n]).astype(int)
confidence = known.max(1)
precision, recall, f1, support = precision_recall_fscore_support(
    labels[:n], answers, labels=range(count), zero_division=0
)
# calibration_curve leaves empty bins out and says no counts: bins as it makes them
edges = np.linspace(0, 1, 16)
bins = np.searchsorted(edges[1:-1], confidence)
filled = np.bincount(bins, minlength=15)
true, predicted = calibration_curve(hits, confidence, n_bins=15)
ece = float((filled[filled > 0] / n * np.abs(true - predicted)).sum())
one_hot = np.eye(count)[labels[:n]]
print(
    json.dumps(
        {
            "labels": [int(x) for x in labels[:n]] + [None] * unknown,
            "scores": scores.tolist(),
            "accuracy": accuracy_score(labels[:n], answers),
            "confusion": confusion_matrix(labels[:n], answers, labels=range(count)).tolist(),
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
            "ece": ece,
            "auroc": roc_auc_score([1] * n + [0] * unknown, scores.max(1)),
            "top_3": top_k_accuracy_score(labels[:n], known, k=3, labels=range(count)),
            "mean_reciprocal_rank": label_ranking_average_precision_score(one_hot, known),
        }
    )
)

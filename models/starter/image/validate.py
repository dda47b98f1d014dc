"""Figures on the features of held-out names, for choosing settings."""
import torch
from torch.nn import functional as F

PROMPT = 1  # the variant of name_vectors in "a photo of a {}."

WEIGHTS = {"caltech": 1, "caltech low": 1, "tiny": 0.5, "tiny low": 0.5, "caltech alone": 1, "caltech alone low": 1, "tiny alone": 1, "tiny alone low": 1,
           "drawn R@10": 1, "scenes R@1": 1, "scenes R@10": 2, "caltech seen": 1, "tiny seen": 0.5, "tiny seen low": 1}


def top(images, labels, truth):
    return 100 * (images @ labels.T).argmax(1).eq(truth).float().mean().item()


def retrieval(images, sentences, k):
    """Share of sentences whose own picture is among the first k."""
    scores = sentences @ images.T
    rank = (scores > scores.diagonal()[:, None]).sum(1)
    return 100 * (rank < k).float().mean().item()


@torch.no_grad()
def validate(head, dataset, b, part="valid"):
    """Pictures of `part` names; labels are all names of the source or, for "alone", those of `part`: a head that favours
    trained names loses the first and not the second."""
    head.B, result = b, {}
    text = lambda names: head.text(dataset.text["name_vectors"][PROMPT][names])

    def among(source, parts, low, rivals=("train", "valid", "test")):
        rows = dataset.rows([source], parts, low)
        labels = torch.unique(dataset.rows([source], list(rivals)).name)
        place = torch.zeros(len(dataset.names), dtype=torch.long)
        place[labels] = torch.arange(len(labels))
        return top(head(rows.features), text(labels), place[rows.name])

    for key, source, parts, low in (("caltech", "caltech", [part], False), ("caltech low", "caltech", [part], True), ("tiny", "tiny", [part], False),
                                    ("tiny low", "tiny", [part], True), ("caltech seen", "caltech", ["seen_test"], False),
                                    ("tiny seen", "tiny", ["seen_test"], False), ("tiny seen low", "tiny", ["seen_test"], True)):
        result[key] = round(among(source, parts, low), 1)
    for key, source, low in (("caltech alone", "caltech", False), ("caltech alone low", "caltech", True), ("tiny alone", "tiny", False), ("tiny alone low", "tiny", True)):
        result[key] = round(among(source, [part], low, [part]), 1)
    drawn = dataset.rows(["clipart", "emoji"], [part], False)
    names, first = torch.unique(drawn.name), {}
    for row, name in enumerate(drawn.name.tolist()):
        first.setdefault(name, row)
    images = head(drawn.features[[first[n] for n in names.tolist()]])
    result["drawn R@10"] = round(retrieval(images, text(names), 10), 1)
    f, sentences, _ = dataset.scenes[part]
    images, sentences = head(f), head.text(sentences)
    result["scenes R@1"], result["scenes R@10"] = (round(retrieval(images, sentences, k), 1) for k in (1, 10))
    result["mean"] = round(sum(result[k] * w for k, w in WEIGHTS.items()) / sum(WEIGHTS.values()), 2)
    return result

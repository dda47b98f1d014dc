"""Features of ImageNet names that have no photos here, made from the classifier's rows.

A name's mean lies at mu + s * Sw (w - mean w): what linear discriminants imply, with Sw the covariance inside names and s fitted on
the names that have photos.
"""
import torch


class Synthetic:
    def __init__(self, dataset, classifier, parts, spread=0.8):
        rows = dataset.rows(["caltech", "tiny"], parts, low=False)
        weight, n, self.spread = classifier[0], len(dataset.names), spread
        count = torch.bincount(rows.name, minlength=n).float()
        means = torch.zeros(n, rows.features.shape[1]).index_add_(0, rows.name, rows.features) / count.clamp(min=1)[:, None]
        rest = rows.features - means[rows.name]
        within = rest.T @ rest / len(rest)
        self.root = torch.linalg.cholesky(within + 1e-5 * torch.eye(len(within)))
        offset = (weight - weight.mean(0)) @ within
        has = (count > 0) & (dataset.imagenet_of >= 0)
        k = dataset.imagenet_of[has]
        seen, made = means[has] - means[has].mean(0), offset[k] - offset[k].mean(0)
        self.means = means[has].mean(0) + (seen * made).sum() / (made * made).sum() * offset
        self.means[k] = (self.means[k] + means[has]) / 2
        self.rows = rows

    def draw(self, names):
        """ImageNet positions [n] -> features [n, 1280]"""
        return (self.means[names] + self.spread * torch.randn(len(names), len(self.root)) @ self.root.T).clamp(min=0)

    def pool(self, text, dataset):
        """The sentences over two names whose features can be had: ImageNet's 0-999, trained names from 1000."""
        where = {name: i for i, name in enumerate(dataset.names)}
        self.by_name = {}
        for row, name in enumerate(self.rows.name.tolist()):
            self.by_name.setdefault(name, []).append(row)
        self.real = {1000 + j: self.by_name[where[n]] for j, n in enumerate(text["trained"]) if where[n] in self.by_name}
        keep = [i for i, pair in enumerate(text["pairs"].tolist()) if all(v < 1000 or v in self.real for v in pair)]
        return {"pairs": text["pairs"][keep], "vectors": text["pair_vectors"][keep]}

    def pick(self, names):
        """Positions in the pool -> one feature vector each, real where there is a photo."""
        result = self.draw(names.clamp(max=999))
        for i, name in enumerate(names.tolist()):
            if name in self.real:
                rows = self.real[name]
                result[i] = self.rows.features[rows[torch.randint(len(rows), ()).item()]]
        return result

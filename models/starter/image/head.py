"""The head over the backbone's features f [n, 1280].

f' = f + sd * U relu(V h + c)         repair of features of small and blurred pictures; h = (f - mean) / sd
p  = softmax(W f' + b)                the classifier's 1000 ImageNet names
e  = unit(A h' + a + l * sum_k p_k t_k)
image = unit(e + B * unit(sum_k p_k unit t_k)),   t_k = (MiniLM(name k) - m) G
text  = unit((MiniLM(text) - m) G)

The second summand is the classifier's knowledge alone (ConSE, Norouzi 2014), moved only through the repair and G: it carries to names that no picture was
trained with. U starts at zero, G at the identity; A, a, U, V, c, l, G are trained, B is chosen on validation names.
"""
import torch
from torch import nn
from torch.nn import functional as F

FEATURES, WIDTH, REPAIR = 1280, 384, 192


class Head(nn.Module):
    def __init__(self, mean, sd, classifier, imagenet_mean):
        super().__init__()
        weight, bias = classifier
        for name, value in (("mean", mean), ("sd", sd), ("weight", weight), ("bias", bias), ("names", imagenet_mean), ("m", imagenet_mean.mean(0))):
            self.register_buffer(name, value.clone())
        self.linear = nn.Linear(FEATURES, WIDTH)
        nn.init.normal_(self.linear.weight, 0, 0.002)
        nn.init.zeros_(self.linear.bias)
        self.down, self.up = nn.Linear(FEATURES, REPAIR), nn.Linear(REPAIR, FEATURES, bias=False)
        nn.init.zeros_(self.up.weight)
        self.G, self.l = nn.Parameter(torch.eye(WIDTH)), nn.Parameter(torch.tensor(1.0))
        self.log_scale = nn.Parameter(torch.tensor(3.4))
        self.B = 0.5
        self.drop = nn.Dropout(0.15)

    def text(self, vectors):
        return F.normalize((vectors - self.m) @ self.G, dim=-1)

    def repaired(self, features):
        h = (features - self.mean) / self.sd
        return h + self.up(F.relu(self.down(h)))

    def logits(self, h):
        return (h * self.sd + self.mean) @ self.weight.T + self.bias

    def trained(self, h, p):
        return F.normalize(self.linear(self.drop(h)) + self.l * (p @ ((self.names - self.m) @ self.G)), dim=1)

    def untrained(self, p):
        return F.normalize(p @ self.text(self.names), dim=1)

    def forward(self, features):
        h = self.repaired(features)
        p = F.softmax(self.logits(h), 1)
        return F.normalize(self.trained(h, p) + self.B * self.untrained(p), dim=1)

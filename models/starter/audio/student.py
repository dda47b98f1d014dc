"""The student: log-mel [n, 1, 64, t] at 50 frames a second -> embedding [n, 384] in the space of head.py."""
import torch
from torch import nn
from torch.nn import functional as F

from ..backbone import FEATURES, sound_backbone

CLASSES = 527


class Student(nn.Module):
    """
    logits l = fc(f);  v = unit(2 s softmax(g l) T + o + R f), with T, g, s, o fixed from the space.
    Frames are averaged in pairs first: 25 a second lose nothing and cost half.
    """

    def __init__(self, space, logit_bias):
        super().__init__()
        self.trunk = sound_backbone()
        self.fc = nn.Linear(FEATURES, CLASSES)
        nn.init.normal_(self.fc.weight, std=0.01)
        self.fc.bias.data = logit_bias.clone()
        self.residual = nn.Linear(FEATURES, 384, bias=False)
        nn.init.zeros_(self.residual.weight)
        for name in ("T", "g", "s", "o"):
            self.register_buffer(name, space[name].detach().clone())

    def of_classes(self, logits):
        return 2 * self.s * F.softmax(self.g * logits, 1) @ self.T + self.o

    def forward(self, mel):
        return self.of_features(self.trunk(F.avg_pool2d(mel, (1, 2))))

    def of_features(self, features):
        """[n, 1280] -> embedding [n, 384], logits [n, 527], features"""
        logits = self.fc(features)
        return F.normalize(self.of_classes(logits) + self.residual(features), dim=1), logits, features


class Exported(nn.Module):
    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, mel):
        return self.student(mel)[0]

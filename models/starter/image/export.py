"""Writes the pack: image.onnx, text_head.safetensors.   python -m starter.image.export WORK PACK

The tail's large matrices become MatMulNBits in 8 bit (scales by row and block: a picture's embedding does not depend on its
batch); its softmax and normalisations stay float32. Folded first: standardisation into the matrices, t_k = (name k - m) G.
"""
import sys
from pathlib import Path

import onnx
import torch
from onnx.compose import add_prefix, merge_models
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from .head import FEATURES, Head


class Tail(nn.Module):
    """Features -> embedding, with plain matrix products only."""

    def __init__(self, head):
        super().__init__()
        self.head, names = head, head.text(head.names)
        scaled = head.l * ((head.names - head.m) @ head.G)
        for name, value in (("down", head.down.weight.T), ("up", head.up.weight.T), ("classifier", (head.weight * head.sd).T),
                            ("linear", head.linear.weight.T), ("names", torch.cat([scaled, names], 1))):
            self.register_buffer(name, value.detach().contiguous())
        self.register_buffer("offset", (head.mean @ head.weight.T + head.bias).detach())

    def forward(self, features):
        h = (features - self.head.mean) / self.head.sd
        h = h + F.relu(h @ self.down + self.head.down.bias) @ self.up
        e, untrained = (F.softmax(h @ self.classifier + self.offset, 1) @ self.names).chunk(2, 1)
        e = F.normalize(h @ self.linear + self.head.linear.bias + e, dim=1)
        return F.normalize(e + self.head.B * F.normalize(untrained, dim=1), dim=1)


def load_head(work):
    saved = torch.load(Path(work) / "head.pt")
    state = saved["state"]
    head = Head(state["mean"], state["sd"], (state["weight"], state["bias"]), state["names"])
    head.load_state_dict(state)
    head.B = saved["B"]
    return head.eval()


def export_tail(head, path):
    torch.onnx.export(Tail(head).eval(), torch.zeros(2, FEATURES), str(path), input_names=["features"], output_names=["embedding"],
                      opset_version=17, dynamo=False, dynamic_axes={"features": {0: "n"}, "embedding": {0: "n"}})
    quantizer = MatMulNBitsQuantizer(onnx.load(path), bits=8, block_size=32, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    return quantizer.model.model


def merge(backbone_path, tail):
    backbone = onnx.load(backbone_path)
    opsets = {o.domain: o for model in (backbone, tail) for o in model.opset_import}
    for model in (backbone, tail):
        model.ir_version = 8
        del model.opset_import[:]
        model.opset_import.extend(opsets.values())
    return merge_models(backbone, add_prefix(tail, "tail_", rename_inputs=False, rename_outputs=False), [("features", "features")])


@torch.no_grad()
def main(work, pack):
    work, pack = Path(work), Path(pack)
    head = load_head(work)
    tail = export_tail(head, work / "tail.onnx")
    model = merge(work / "backbone_int8.onnx", tail)
    pack.mkdir(parents=True, exist_ok=True)
    onnx.save(model, pack / "image.onnx")
    save_file({"weight": head.G.detach().contiguous(), "bias": -(head.m @ head.G).detach()}, pack / "text_head.safetensors",
              metadata={"format": "crossmodal-head", "kind": "linear", "normalize": "true"})
    (pack / "text_head.safetensors").chmod(0o644)
    # The same head over the float32 backbone, for comparison.
    tail32 = onnx.load(work / "tail.onnx")
    onnx.save(merge(work / "backbone_fp32.onnx", tail32), work / "image_fp32.onnx")
    print(f"image.onnx {(pack / 'image.onnx').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:3])

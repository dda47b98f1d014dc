"""Writes models/starter-text: trunk.onnx (8 bit) and tokenizer.json.   python -m starter.text.export_trunk OUT WORK

Matrices become MatMulNBits with 8-bit weights in blocks of 32: activations are quantised row by row and block by block,
so a text's embedding does not depend on its neighbours (dynamic quantisation takes its scale from the whole batch: .03
per number). The word table becomes int8 rows with a scale each behind the Gather.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from .minilm import TextTrunk, embed, tokenizer

PROBES = ["a photo of a tench.", "A woman in a kitchen at the sink holding a knife.", "dog",
          "heavy rain falls on a tin roof while thunder rolls far away and somebody closes a wooden door", "",
          "the sound of a rooster crowing at dawn", "ein Satz auf Deutsch", "🦉 hoots"]


def quantize(fp32, path):
    quantizer = MatMulNBitsQuantizer(onnx.load(fp32), bits=8, block_size=32, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    model = quantizer.model.model
    graph = model.graph
    table = next(i for i in graph.initializer if i.name.endswith("word_embeddings.weight"))
    rows = numpy_helper.to_array(table)
    scale = (np.abs(rows).max(1, keepdims=True) / 127).astype(np.float32)
    graph.initializer.remove(table)
    graph.initializer.extend([
        numpy_helper.from_array(np.clip(np.round(rows / scale), -127, 127).astype(np.int8), "word_int8"),
        numpy_helper.from_array(scale, "word_scale")])
    gather = next(node for node in graph.node if node.op_type == "Gather" and table.name in node.input)
    place, ids, out = list(graph.node).index(gather), gather.input[1], gather.output[0]
    graph.node.remove(gather)
    for offset, node in enumerate([
            helper.make_node("Gather", ["word_int8", ids], ["word_q"], axis=0),
            helper.make_node("Gather", ["word_scale", ids], ["word_s"], axis=0),
            helper.make_node("Cast", ["word_q"], ["word_f"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["word_f", "word_s"], [out])]):
        graph.node.insert(place + offset, node)
    onnx.save(model, path)


def check(path):
    """Cosine to float32 and batch against single, on the probes."""
    session = ort.InferenceSession(path)
    tokens = tokenizer()
    def run(texts):
        tokens.enable_padding()
        encoded = tokens.encode_batch(texts)
        feeds = {"input_ids": [e.ids for e in encoded], "attention_mask": [e.attention_mask for e in encoded]}
        return session.run(None, {name: np.array(value, np.int64) for name, value in feeds.items()})[0]
    batch, single = run(PROBES), np.concatenate([run([text]) for text in PROBES])
    cosine = (batch * embed(PROBES).numpy()).sum(1)
    print(f"size {Path(path).stat().st_size / 1e6:.1f} MB, cosine to float32 min {cosine.min():.5f}, "
          f"batch against single max {np.abs(batch - single).max():.1e}")
    assert cosine.min() > 0.998 and np.abs(batch - single).max() < 1e-5


def main(out, work):
    out, work = Path(out), Path(work)
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    trunk = TextTrunk()
    ids = torch.ones(2, 7, dtype=torch.int64)
    torch.onnx.export(trunk, (ids, ids), str(work / "trunk_fp32.onnx"), input_names=["input_ids", "attention_mask"],
                      output_names=["embedding"], opset_version=17, dynamo=False,
                      dynamic_axes={"input_ids": {0: "n", 1: "l"}, "attention_mask": {0: "n", 1: "l"}, "embedding": {0: "n"}})
    quantize(work / "trunk_fp32.onnx", out / "trunk.onnx")
    tokenizer().save(str(out / "tokenizer.json"), pretty=False)
    check(out / "trunk.onnx")


if __name__ == "__main__":
    main(*sys.argv[1:3])

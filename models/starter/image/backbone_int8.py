"""The backbone in 8 bit: pixels [n, 3, 224, 224] -> features [n, 1280].   -> WORK/backbone_int8.onnx

The head is trained on the features of this very file, so it has seen the quantisation's noise. Static scales: a picture's
features do not depend on its batch. `reduce_range` because without VNNI instructions the 8-bit products saturate.
"""
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..backbone import fuse_batch_norms, image_backbone
from . import pixels

CALIBRATION_PICTURES = 160
FLOAT_NODES = 8  # the stem and the first block stay float32: cosine of the features .98 against .95, 30 kB, no slower


class Reader(CalibrationDataReader):
    def __init__(self, pictures):
        self.feeds = iter([{"pixels": pixels.pixels(p)[None]} for p in pictures])

    def get_next(self):
        return next(self.feeds, None)


def make(items, work, rng):
    """`items`: see data.py; every third picture of the calibration is a small one."""
    backbone, _, _ = image_backbone()
    fp32 = work / "backbone_fp32.onnx"
    torch.onnx.export(fuse_batch_norms(backbone), torch.zeros(1, 3, pixels.SIZE, pixels.SIZE), str(fp32), input_names=["pixels"],
                      output_names=["features"], opset_version=17, dynamo=False,
                      dynamic_axes={"pixels": {0: "n"}, "features": {0: "n"}})
    quant_pre_process(str(fp32), str(fp32), skip_symbolic_shape=True)
    pictures = []
    for i, j in enumerate(rng.choice(len(items), CALIBRATION_PICTURES, replace=False)):
        picture = pixels.load(items[j].path)
        pictures.append(pixels.degrade(picture, int(rng.choice([32, 48, 64])), rng) if i % 3 == 0 else picture)
    first = [node.name for node in onnx.load(fp32).graph.node[:FLOAT_NODES]]
    quantize_static(str(fp32), str(work / "backbone_int8.onnx"), Reader(pictures), quant_format=QuantFormat.QDQ, per_channel=True,
                    reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod.MinMax, op_types_to_quantize=["Conv", "Clip", "Add"],
                    nodes_to_exclude=first)


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options)


def run(backbone, pictures, batch=8):
    """Pictures -> features [n, 1280]"""
    result = []
    for start in range(0, len(pictures), batch):
        feed = np.stack([pixels.pixels(p) for p in pictures[start:start + batch]])
        result.append(backbone.run(None, {"pixels": feed})[0])
    return np.concatenate(result)

"""Student -> PACK/audio.onnx in int8, and the text head beside it.   python -m starter.audio.export WORK PACK

Static quantisation (QDQ, per channel, reduce_range for CPUs without VNNI) of convolutions and what lies between them,
calibrated on pool clips; the heads, the softmax and the normalisation stay in float32. Scales are constants of the file, so
an embedding does not depend on its neighbours in a batch. Checked at the end: cosine to float32, batch against single.
"""
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..backbone import fuse_batch_norms
from .student import Exported, Student
from .train import load_pools

QUANTIZED = ["Conv", "Clip", "Add"]
CALIBRATION_CLIPS, CHECKED_CLIPS = 512, 256


class Clips(CalibrationDataReader):
    def __init__(self, mels, batch=16):
        self.batches = iter(np.array_split(mels, len(mels) // batch))

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"mel": batch}


def main(work, pack, seed=0):
    work, pack = Path(work), Path(pack)
    rng = np.random.default_rng(seed)
    mels = load_pools(work)["mel"]
    picked = rng.choice(len(mels), CALIBRATION_CLIPS + CHECKED_CLIPS, replace=False)
    clips = mels[picked].astype(np.float32)[:, None]
    student = Student(torch.load(work / "space.pt"), torch.zeros(527))
    student.load_state_dict(torch.load(work / "student.pt")["student"])
    student.eval()
    fuse_batch_norms(student.trunk)
    exact, prepared, out = work / "audio_fp32.onnx", work / "audio_prepared.onnx", pack / "audio.onnx"
    torch.onnx.export(Exported(student), (torch.zeros(2, 1, 64, 250),), str(exact), input_names=["mel"], output_names=["embedding"],
                      dynamic_axes={"mel": {0: "n", 3: "t"}, "embedding": {0: "n"}}, opset_version=17, dynamo=False)
    quant_pre_process(str(exact), str(prepared), skip_symbolic_shape=True)
    quantize_static(str(prepared), str(out), Clips(clips[:CALIBRATION_CLIPS]), quant_format=QuantFormat.QDQ, per_channel=True,
                    reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    op_types_to_quantize=QUANTIZED, calibrate_method=CalibrationMethod.MinMax)
    onnx.checker.check_model(str(out))

    run = lambda path: (lambda session: lambda x: session.run(None, {"mel": x})[0])(ort.InferenceSession(str(path)))
    checked = clips[CALIBRATION_CLIPS:]
    float32, int8 = run(exact), run(out)
    a, b = float32(checked), int8(checked)
    single = np.concatenate([int8(x[None]) for x in checked[:32]])
    cosine = (a * b).sum(1)
    print(f"{out.stat().st_size / 1e6:.1f} MB, cosine to float32 mean {cosine.mean():.4f} min {cosine.min():.4f}, "
          f"batch against single max {np.abs(single - b[:32]).max():.1e}")
    assert np.abs(single - b[:32]).max() < 1e-5
    head = work / "text_head.safetensors"
    if head.exists():
        shutil.copy(head, pack / "text_head.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""Embeddings of the starter packs by Pillow, torch.stft, tokenizers and Python's ONNX Runtime.   python -m starter.golden FIXTURES

-> FIXTURES/golden/starter_embeddings.json, which test/encoders/starter-reference.test.ts compares with the server's.
The sound is that of audio/starter_mel.json: x[i] = 0.3 sin(1e-7 i^2) + 0.1 sin(0.7 i), i < 48000, at 32 kHz.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from .audio import frontend
from .image import pixels

MODELS = Path(__file__).resolve().parent.parent
PICTURES = ("cat.jpg", "page.png", "horse.png", "galaxies.jpg")
TEXTS = ("dog", "the sound of heavy rain on a tin roof", "a photo of a cat.")


def run(path, feeds):
    return ort.InferenceSession(str(MODELS / path)).run(None, feeds)[0][0]


def text(pack, sentence):
    encoded = Tokenizer.from_file(str(MODELS / "starter-text/tokenizer.json"))
    encoded.no_padding()
    tokens = encoded.encode(sentence)
    trunk = run("starter-text/trunk.onnx", {"input_ids": np.array([tokens.ids]), "attention_mask": np.array([tokens.attention_mask])})
    head = load_file(MODELS / pack / "text_head.safetensors")
    vector = trunk @ head["weight"] + head["bias"]
    return vector / np.linalg.norm(vector)


def main(fixtures):
    fixtures = Path(fixtures)
    i = np.arange(48_000, dtype=np.float64)
    samples = frontend.fill((0.3 * np.sin(1e-7 * i * i) + 0.1 * np.sin(0.7 * i)).astype(np.float32), 10)
    mel = frontend.student_mel(frontend.power(samples)).numpy()
    rounded = lambda vector: [round(float(v), 6) for v in vector]
    golden = {
        "audio": rounded(run("starter-clap/audio.onnx", {"mel": mel[None, None]})),
        "images": {p: rounded(run("starter-clip/image.onnx", {"pixels": pixels.pixels(pixels.load(fixtures / "images" / p))[None]})) for p in PICTURES},
        "texts": {pack: {t: rounded(text(pack, t)) for t in TEXTS} for pack in ("starter-clip", "starter-clap")}}
    (fixtures / "golden/starter_embeddings.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

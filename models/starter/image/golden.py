"""Embeddings of picture files as the pack gives them through Pillow: golden values.   python -m starter.image.golden PACK FILE..."""
import json
import sys
from pathlib import Path

from . import backbone_int8, pixels


def main(pack, *files):
    tower = backbone_int8.session(Path(pack) / "image.onnx")
    vectors = [tower.run(None, {"pixels": pixels.pixels(pixels.load(f))[None]})[0][0] for f in files]
    print(json.dumps({Path(f).name: [round(float(v), 6) for v in vector] for f, vector in zip(files, vectors)}))


if __name__ == "__main__":
    main(*sys.argv[1:])

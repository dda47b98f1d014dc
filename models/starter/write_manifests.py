"""Writes sizes and hashes of the packs' files into their manifests.   python models/starter/write_manifests.py"""
import hashlib
import json
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent


def fill(value, folder):
    if isinstance(value, dict):
        if "path" in value:
            data = (folder / value["path"]).read_bytes()
            value["size"], value["sha256"] = len(data), hashlib.sha256(data).hexdigest()
        for child in value.values():
            fill(child, folder)


for name in ("starter-clip", "starter-clap"):
    path = MODELS / name / "manifest.json"
    manifest = json.loads(path.read_text())
    fill(manifest, path.parent)
    path.write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{name}: {path.stat().st_size} bytes")

"""Top-1 among labels on what training never heard, recall on Tux Paint's stamps.

python -m starter.audio.evaluate TEACHERS WORK PACK [--sketch DIR] [--stamps DIR]

The same clips for the teacher (its classes' text vectors, untrained and trained), the student in float32 and the
exported file; --sketch is a folder with audio_int8.onnx and text_int8.onnx of the first sketch for comparison, --stamps
the unpacked usr/share/tuxpaint/stamps of tuxpaint-stamps-default.
"""
import argparse
import re
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from ..text.minilm import CONTEXT, TextTrunk, embed, tokenizer
from . import frontend, pool, sources, stamps
from .head import class_synonyms, clean_label, mean_text
from .student import Student

PROMPT = "this is a sound of {}"
STAMP_PROMPT = "a recording of {}"


def label_sets(work):
    """-> {set: (clip positions, label per clip, all labels)}"""
    names, labels, clips, _ = sources.load(work / "heldout.npz")
    animals = sources.SPLITS["animal_words"]
    found = {}
    for i, (source, text) in enumerate(zip(names, labels)):
        if source in sources.SPLITS["held_out_sources"]:
            words = set(re.sub(r"[^a-z ]", " ", text.lower()).split())
            hits = [label for label, keys in animals.items() if words & set(keys)]
            key = "animals, sources left out"
            label = hits[0] if len(hits) == 1 else None
        else:
            key, label = {"esc10": "ESC-10 fold 4 (classes seen)", "moodist": "moodist, labels left out"}[source], clean_label(text)
        if label:
            found.setdefault(key, []).append((i, label))
    sets = {}
    for key, pairs in found.items():
        every = sorted({label for _, label in pairs})
        sets[key] = ([i for i, _ in pairs], [label for _, label in pairs], every)
    return sets, clips


def student_vectors(run, clips, seconds=10):
    """`run` takes mel [n, 1, 64, t]; clips longer than ten seconds are cut in windows of ten at five, the mean renormalised."""
    result = []
    for samples in clips:
        x, size, hop = samples.astype(np.float32) / 32768, seconds * frontend.RATE, seconds * frontend.RATE // 2
        starts = range(0, max(1, len(x) - size + hop), hop) if len(x) > size else [0]
        windows = [frontend.fill(x[s:s + size], seconds) for s in starts]
        mels = torch.stack([frontend.student_mel(frontend.power(w)) for w in windows])[:, None]
        v = run(mels).mean(0)
        result.append(v / np.linalg.norm(v))
    return np.stack(result)


def accuracy(vectors, truth, every, text):
    table = text([PROMPT.format(label) for label in every])
    return float(np.mean([every[i] == t for i, t in zip((vectors @ table.T).argmax(1), truth)]))


def recalls(vectors, texts):
    """Of each vector's own text among all: at 1, 5 and 10."""
    similarity = vectors @ texts.T
    rank = (similarity > np.diag(similarity)[:, None]).sum(1)
    return [float((rank < k).mean()) for k in (1, 5, 10)]


def onnx_run(path):
    session = ort.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    return lambda mels: session.run(None, {name: mels.numpy()})[0]


def main(teachers, work, pack, sketch, stamp_folder):
    work, pack = Path(work), Path(pack)
    sets, clips = label_sets(work)
    trunk = TextTrunk()
    head = load_file(pack / "text_head.safetensors") if (pack / "text_head.safetensors").exists() else None
    own_text = lambda texts: F.normalize(embed(texts, trunk) @ head["weight"] + head["bias"], dim=1).numpy()
    space = torch.load(work / "space.pt")
    student = Student(space, torch.zeros(527)).eval()
    systems = {}
    session = pool.teacher(Path(teachers) / "audio/mn04_as.onnx")
    plain = mean_text(class_synonyms(teachers), trunk)

    def teacher_logits(heard):
        result = []
        for clip in heard:
            x = frontend.fill(clip, max(5, min(10, len(clip) / frontend.RATE)))[: 10 * frontend.RATE].astype(np.float32) / 32768
            result.append(session.run(["logits"], {"mel": frontend.teacher_mel(frontend.power(x))[None, None].numpy()})[0][0])
        return torch.tensor(np.stack(result))

    centre = plain.mean(0)
    systems["teacher, class names"] = (lambda p: F.normalize(torch.sigmoid(teacher_logits(p)) @ F.normalize(plain - centre, dim=1), dim=1).numpy(),
                                       lambda texts: F.normalize(embed(texts, trunk) - centre, dim=1).numpy())
    systems["teacher, trained head"] = (lambda p: F.normalize(student.of_classes(teacher_logits(p)), dim=1).detach().numpy(), own_text)
    if (work / "student.pt").exists():
        student.load_state_dict(torch.load(work / "student.pt")["student"])
        def float32(mels):
            with torch.no_grad():
                return student(mels)[0].numpy()
        systems["student, float32"] = (lambda p: student_vectors(float32, p), own_text)
    if sketch is not None:
        run = onnx_run(Path(sketch) / "audio_int8.onnx")
        text_session, tokens = ort.InferenceSession(str(Path(sketch) / "text_int8.onnx")), tokenizer()
        tokens.enable_truncation(CONTEXT)
        tokens.enable_padding()
        def sketch_text(texts):
            encoded = tokens.encode_batch(texts)
            return text_session.run(None, {"input_ids": np.array([e.ids for e in encoded]), "attention_mask": np.array([e.attention_mask for e in encoded])})[0]
        systems["sketch (heard these sources)"] = (lambda p: student_vectors(run, p), sketch_text)
    if (pack / "audio.onnx").exists() and (work / "student.pt").exists():
        run8 = onnx_run(pack / "audio.onnx")
        systems["student, as shipped"] = (lambda p: student_vectors(run8, p), own_text)
    for key, (positions, truth, every) in sets.items():
        print(f"\n{key}: {len(truth)} clips, {len(every)} labels")
        for name, (vectors, text) in systems.items():
            print(f"  {name:32s} {accuracy(vectors([clips[i] for i in positions]), truth, every, text):.3f}", flush=True)
    if stamp_folder is not None:
        names, heard = stamps.read(stamp_folder)
        print(f"\nTux Paint's stamps, sound to sentence: {len(names)} clips, recall at 1, 5, 10")
        for name, (vectors, text) in systems.items():
            found = recalls(vectors(heard), text([STAMP_PROMPT.format(n) for n in names]))
            print(f"  {name:32s} " + " ".join(f"{r:.3f}" for r in found), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("teachers", "work", "pack"):
        parser.add_argument(name)
    parser.add_argument("--sketch")
    parser.add_argument("--stamps")
    given = parser.parse_args()
    main(given.teachers, given.work, given.pack, given.sketch, given.stamps)

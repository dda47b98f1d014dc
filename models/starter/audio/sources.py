"""Every recording the student may hear: decoded once to 32 kHz mono.   -> WORK/clips.npz and WORK/heldout.npz

DATA holds esc10/, moodist_sounds/ and sounds_open/ (each with a table of labels); PACKAGES holds Debian packages of games
and sound libraries, unpacked into a folder each (fetch_packages.sh); speech and instruments are synthesised here.
"""
import csv
import json
import random
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

RATE = 32000
LONGEST_SECONDS = 30
SECONDS_PER_PACKAGE = 1500
# Folders of packages that hold recordings of nature: all of these are heard, under a source of their own; spoken orders are left out.
NATURE = {"fauna", "ambient", "animals", "farm", "explore_farm_animals", "memory-sound", "bull", "chicken", "cow", "elephant", "pig", "sheep"}
SPOKEN = {"voice", "voices"}
SPLITS = json.loads((Path(__file__).parent / "splits.json").read_text())


def samples_of(path):
    """First half minute as int16 at 32 kHz mono."""
    command = ["ffmpeg", "-v", "error", "-t", str(LONGEST_SECONDS), "-i", str(path), "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    raw = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).stdout
    return np.frombuffer(raw[: len(raw) // 2 * 2], np.int16)


def decode(path):
    """The same, or None when it is no sound, silent or shorter than .1 s."""
    samples = samples_of(path)
    return samples if len(samples) > RATE // 10 and np.abs(samples.astype(np.int32)).max() > 300 else None


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def labelled(data):
    """-> (source, path, label or '', held out) for the three labelled folders."""
    for row in rows(data / "esc10/labels.csv"):
        yield "esc10", data / "esc10" / row["file"], row["label"], row["fold"] == SPLITS["held_out_esc10_fold"]
    moodist = rows(data / "moodist_sounds/labels.csv")
    out = set(sorted({row["label"] for row in moodist})[3::SPLITS["held_out_moodist_labels_every"]])
    for row in moodist:
        yield "moodist", data / "moodist_sounds" / row["file"], row["label"], row["label"] in out
    for row in rows(data / "sounds_open/files.csv"):
        text = row["text_from_path"]
        yield row["source"], data / "sounds_open" / row["file"], text, row["source"] in SPLITS["held_out_sources"]


def packaged(packages, seed=0):
    """-> (source, path): a package's recordings of nature, and a seeded choice of its other sounds, so that none outweighs the rest."""
    endings = {".ogg", ".wav", ".flac", ".mp3", ".opus", ".oga"}
    for folder in sorted(p for p in Path(packages).iterdir() if p.is_dir()):
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in endings and not SPOKEN & set(p.parts))
        random.Random(seed).shuffle(files)
        nature = [p for p in files if NATURE & set(p.parts)]
        for path in nature:
            yield f"{folder.name}, nature", path
        for path in [p for p in files if p not in set(nature)][:450]:
            yield folder.name, path


def midi(segments, path, rng):
    """A MIDI file of five-second phrases: 480 ticks a beat, 120 beats a minute."""
    events = []
    for index, (program, kind) in enumerate(segments):
        start, channel = index * 4800, 9 if kind == "drums" else 0
        events.append((start, 0, bytes([0xC0 | channel, program])))
        tick = start + 20
        while tick < start + 4200:
            if kind == "drums":
                length, notes = rng.choice([120, 160, 240, 320]), [rng.randint(27, 87)]
            elif kind == "note":
                length, notes = rng.choice([1200, 3600]), [rng.randint(36, 84)]
            else:
                root = rng.randint(40, 76)
                length, notes = rng.choice([120, 240, 480, 960]), [root] if kind == "melody" else [root, root + 4, root + 7]
            for note in notes:
                events.append((tick, 1, bytes([0x90 | channel, note, rng.randint(50, 127)])))
                events.append((tick + int(length * 0.9), 0, bytes([0x80 | channel, note, 0])))
            tick += length
    events.sort(key=lambda event: event[:2])

    def variable(n):
        out = [n & 127]
        while n := n >> 7:
            out.append(n & 127 | 128)
        return bytes(reversed(out))

    track, now = b"", 0
    for tick, _, message in events:
        track += variable(tick - now) + message
        now = tick
    track += variable(4800) + b"\xff\x2f\x00"
    path.write_bytes(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track)


def synthesised(data, work, seed=1):
    """General MIDI phrases (fluid-soundfont-gm) and espeak-ng voices speaking captions. -> (source, samples)"""
    rng = random.Random(seed)
    segments = [(program, kind) for program in range(128) for kind in ("note", "melody", "chord")]
    segments += [(rng.choice([0, 8, 16, 24, 25, 32, 40, 48]), "drums") for _ in range(50)]
    midi(segments, work / "gm.mid", rng)
    font = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
    subprocess.run(["fluidsynth", "-ni", "-g", "0.8", "-r", str(RATE), "-F", work / "gm.wav", font, work / "gm.mid"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", work / "gm.wav", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"],
                         capture_output=True).stdout
    whole = np.frombuffer(raw, np.int16)
    for start in range(0, len(whole) - 5 * RATE, 5 * RATE):
        yield "gm", whole[start:start + 5 * RATE]
    captions = [row["caption"] for row in rows(data / "captions/audiocaps_train.csv")]
    voices = ["en-us", "en-gb", "de", "fr", "es", "it", "ru", "pl", "hi", "tr", "fi", "en-us+f3", "en-us+m3", "en-gb+f4", "fr+f2", "de+m7"]
    for i in range(96):
        path = work / f"speech{i}.wav"
        subprocess.run(["espeak-ng", "-v", voices[i % len(voices)], "-s", str(rng.randint(110, 230)), "-p", str(rng.randint(20, 80)),
                        "-w", path, rng.choice(captions) + ". " + rng.choice(captions)], stderr=subprocess.DEVNULL)
        samples = decode(path)
        if samples is not None:
            yield "espeak", samples


def main(data, packages, work):
    data, work = Path(data), Path(work)
    work.mkdir(parents=True, exist_ok=True)
    jobs = list(labelled(data)) + [(name, path, "", False) for name, path in packaged(packages)]
    with ThreadPoolExecutor(4) as pool:
        decoded = list(pool.map(lambda job: decode(job[1]), jobs))
    kept, held, seconds = [], [], {}
    for (source, path, label, out), samples in zip(jobs, decoded):
        if samples is None:
            continue
        if out:
            held.append((source, label, str(path.relative_to(data)), samples))
            continue
        if label == "" and seconds.get(source, 0) > SECONDS_PER_PACKAGE:
            continue
        seconds[source] = seconds.get(source, 0) + len(samples) / RATE
        kept.append((source, label, samples))
    for source, samples in synthesised(data, work):
        seconds[source] = seconds.get(source, 0) + len(samples) / RATE
        kept.append((source, "", samples))
    save(work / "clips.npz", [k[0] for k in kept], [k[1] for k in kept], [k[2] for k in kept])
    save(work / "heldout.npz", [h[0] for h in held], [h[1] for h in held], [h[3] for h in held], paths=[h[2] for h in held])
    for source, total in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{source:28s} {total / 60:7.1f} min")
    print(f"{len(kept)} clips, {sum(seconds.values()) / 3600:.2f} h to train on; {len(held)} held out", flush=True)


def save(path, sources, labels, clips, **more):
    lengths = np.array([len(c) for c in clips])
    np.savez(path, sources=np.array(sources), labels=np.array(labels), lengths=lengths, samples=np.concatenate(clips), **more)


def load(path):
    """-> sources, labels, list of int16 arrays (views), and the file itself."""
    z = np.load(path)
    samples, ends = z["samples"], np.cumsum(z["lengths"])
    return z["sources"], z["labels"], [samples[e - n:e] for e, n in zip(ends, z["lengths"])], z


if __name__ == "__main__":
    import sys
    main(*sys.argv[1:4])

"""The pictures, their names and what is held out.

A split is by name: a held-out name is left out of training in every source, so its pictures are of things never named
in training. Pictures of seen names that are held out too are marked `seen_test`.
"""
import csv
import re
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image

Image.MAX_IMAGE_PIXELS = None
LARGEST = 4_000_000  # pixels; a few drawings are rendered at 600 million
SKIP_CLIPART = ("computer", "shapes", "signs_and_symbols", "special", "geography", "logos", "buttons")
EMOJI_GROUPS = ("objects", "travel & places", "animals & nature", "food & drink", "activities")
CALTECH_NAMES = {
    "Faces": "face of a person", "Faces_easy": "face of a person", "Leopards": "leopard", "Motorbikes": "motorbike", "airplanes": "airplane",
    "car_side": "car from the side", "cougar_body": "cougar", "cougar_face": "face of a cougar", "crocodile_head": "head of a crocodile",
    "flamingo_head": "head of a flamingo", "hawksbill": "hawksbill turtle", "joshua_tree": "joshua tree", "ketch": "ketch sailing boat",
    "brontosaurus": "brontosaurus", "water_lilly": "water lily", "wild_cat": "wild cat", "yin_yang": "yin yang symbol", "binocular": "binoculars",
    "cellphone": "cell phone", "inline_skate": "inline skate", "sea_horse": "seahorse", "stop_sign": "stop sign", "garfield": "garfield the cartoon cat",
    "snoopy": "snoopy the cartoon dog", "tick": "tick", "watch": "wrist watch", "rhino": "rhinoceros", "bass": "bass fish"}


@dataclass
class Item:
    path: Path
    key: str      # path relative to its source's root
    source: str   # caltech, tiny, clipart, emoji, background
    name: str     # "" for background
    part: str = "train"  # train, valid (names), test (names), seen_test


def share(text, salt):
    """A number in [0, 1) that only depends on the text."""
    return int(sha256(f"{salt}/{text}".encode()).hexdigest()[:8], 16) / 2**32


def imagenet_synonyms(teachers):
    """-> 1000 lists of names"""
    lines = (Path(teachers) / "image/imagenet_labels.txt").read_text().splitlines()
    return [[n.strip().replace("_", " ") for n in line.split(",")] for line in lines[-1000:]]


def unpack(data, work):
    photos = Path(work) / "photos"
    for name, folder in (("caltech101-train", "caltech"), ("tiny-imagenet-train-30k", "tiny")):
        if not (photos / folder).exists():
            with tarfile.open(Path(data) / f"photos/{name}.tar") as file:
                file.extractall(photos / folder, filter="data")
    return photos


def caltech(photos):
    for path in sorted((photos / "caltech").glob("*/*.jpg")):
        folder = path.parent.name
        key = f"caltech/{folder}/{path.name}"
        if folder == "BACKGROUND_Google":
            yield Item(path, key, "background", "")
        else:
            yield Item(path, key, "caltech", CALTECH_NAMES.get(folder, folder.replace("_", " ")))


def tiny(data, photos):
    with open(Path(data) / "photos/tiny-imagenet-classes.csv", newline="") as file:
        names = {row["wnid"]: row["synset_words"].split(",")[0].strip() for row in csv.DictReader(file)}
    for path in sorted((photos / "tiny").glob("*/*.webp")):
        yield Item(path, f"tiny/{path.parent.name}/{path.name}", "tiny", names[path.parent.name])


def clipart_name(row, uses):
    title = re.sub(r"[^a-z ]", " ", row["title"].lower()).split()
    stem = [w for w in Path(row["svg"]).stem.lower().split("_") if w.isalpha() and len(w) > 2]
    keywords = set(row["keywords"].lower().replace("|", " ").split())
    stem = [w for w in stem if w in keywords] or stem[:1]
    return " ".join(title if 0 < len(title) <= 4 and uses[row["title"]] <= 3 else stem)


def clipart(data, packages):
    with open(Path(data) / "openclipart_meta/labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    uses, found = {}, {}
    for row in rows:
        uses[row["title"]] = uses.get(row["title"], 0) + 1
    for row in rows:
        top, path = row["svg"].split("/")[0], Path(packages) / "openclipart/png" / row["svg"].replace(".svg", ".png")
        name = clipart_name(row, uses)
        if top in SKIP_CLIPART or "cards" in row["svg"] or not name or "PublicDomain" not in row["license"] or not path.exists():
            continue
        with Image.open(path) as picture:
            if picture.width * picture.height > LARGEST:
                continue
        if found.setdefault(name, 0) < 4:  # families of near copies count as a few
            found[name] += 1
            yield Item(path, "openclipart/" + row["svg"], "clipart", name)


def emoji(data, packages):
    with open(Path(data) / "emoji_labels/labels.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["group"] in EMOJI_GROUPS:
                for folder, column in (("fluent", "fluent3d_file"), ("noto", "noto64_file")):
                    path = Path(packages) / folder / row[column]
                    if row[column] and path.exists():
                        yield Item(path, f"{folder}/{row[column]}", "emoji", row["label"])


def mentions(name, held):
    """"closed umbrella" mentions "umbrella"."""
    return any(f" {h.lower()} " in f" {name.lower()} " for h in held)


def items(data, packages, work, splits):
    """Every picture with its part. `splits`: the content of splits.json."""
    photos = unpack(data, work)
    result = [*caltech(photos), *tiny(data, photos), *clipart(data, packages), *emoji(data, packages)]
    names = {i.name for i in result if i.name}
    test, valid = ({n for n in names if mentions(n, splits[key])} for key in ("test_names", "valid_names"))
    for item in result:
        if item.name in test:
            item.part = "test"
        elif item.name in valid:
            item.part = "valid"
        elif item.name and share(item.key, "seen") < splits["seen_test_share"]:
            item.part = "seen_test"
    return result

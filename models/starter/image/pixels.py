"""Pictures as the server prepares them, and worse ones to learn from.

`pixels` is the oracle of the server's preprocessing: RGB, short side 224 by Pillow's bicubic, centre crop, (x - 127) / 128.
"""
import io

import numpy as np
from PIL import Image

SIZE = 224


def load(path):
    """Transparent pixels become white, as on paper."""
    picture = Image.open(path)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return picture.convert("RGB")


def square(picture, size=SIZE):
    """Short side `size`, the long side floored, centre crop."""
    width, height = picture.size
    short = min(width, height)
    width, height = size * width // short, size * height // short
    picture = picture.resize((width, height), Image.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return picture.crop((left, top, left + size, top + size))


def pixels(picture):
    """-> float32 [3, 224, 224]"""
    array = np.asarray(square(picture), np.float32)
    return ((array - 127.0) / 128.0).transpose(2, 0, 1)


def degrade(picture, side, rng):
    """The picture at `side` pixels, half of the time through a JPEG of quality 30-90."""
    small = square(picture, side)
    if rng.random() < 0.5:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=int(rng.integers(30, 91)))
        small = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    return small


def mosaic(one, two, layout):
    """A picture of two things. 0: side by side, each its middle half; 1: one above the other; 2: `two` small in a corner of `one`."""
    half = SIZE // 2
    one, two = square(one), square(two)
    if layout == 2:
        one.paste(two.resize((half - 12, half - 12), Image.BICUBIC), (SIZE - half, SIZE - half))
        return one
    sheet = Image.new("RGB", (SIZE, SIZE))
    middle = (half // 2, 0, half // 2 + half, SIZE) if layout == 0 else (0, half // 2, SIZE, half // 2 + half)
    for place, picture in enumerate((one, two)):
        sheet.paste(picture.crop(middle), (place * half, 0) if layout == 0 else (0, place * half))
    return sheet

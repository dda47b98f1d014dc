"""The sounds of Tux Paint's stamps (Debian's tuxpaint-stamps-default), a source that no recipe has used: the same as bench/stamps.ts takes."""
import re
from pathlib import Path

from . import sources

LEFT_OUT = re.compile(r"^symbols|cartoon|flags|roadsigns|_(mask|off|on)")


def read(folder):
    """-> names, clips: stamps with a sound and a name of at most five words, the first of those that share a name."""
    folder, found = Path(folder), {}
    for picture in sorted(folder.rglob("*.png"), key=str):
        text = picture.with_suffix(".txt")
        if LEFT_OUT.search(str(picture.relative_to(folder))) or not text.exists():
            continue
        title = text.read_text().split("\n")[0].strip()
        name = re.sub(r"^(a|an|the|some) ", "", re.sub(r"\.$", "", title), flags=re.I).lower()
        if name == "" or len(name.split(" ")) > 5 or name in found:
            continue
        found[name] = next((p for p in (picture.with_suffix(".ogg"), picture.with_suffix(".wav")) if p.exists()), None)
    heard = {name: sources.samples_of(path) for name, path in found.items() if path}
    return list(heard), list(heard.values())

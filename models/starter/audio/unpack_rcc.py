"""Ogg files out of a Qt resource file.   python unpack_rcc.py FILE.rcc FOLDER

An entry is its length, four bytes big endian, then the bytes; sounds are stored uncompressed, so each begins with the
first page of a stream ("OggS", version 0, flag 2).
"""
import sys
from pathlib import Path

FIRST_PAGE = b"OggS\x00\x02"


def main(path, folder):
    data, folder = Path(path).read_bytes(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    at = data.find(FIRST_PAGE)
    while at >= 0:
        size = int.from_bytes(data[at - 4:at], "big")
        if size > len(data) - at:
            raise ValueError(f"{path}: no entry of {size} bytes at {at}")
        (folder / f"{at}.ogg").write_bytes(data[at:at + size])
        at = data.find(FIRST_PAGE, at + size)


if __name__ == "__main__":
    main(*sys.argv[1:3])

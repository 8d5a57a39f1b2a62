"""Draws the app's icons (36 and 72 pixels square) as PNG files: `python packaging/icon.py`. The files are committed.

A hand's grip on a strap: a ring held by a bar. Pure Python, so that nobody needs an image library to change it.
PNG: W3C "Portable Network Graphics (PNG) Specification", chunks IHDR, IDAT, IEND, colour type 6 (RGBA).
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Callable, Tuple

Colour = Tuple[int, int, int, int]

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "static/appIcon.png": 36,
    "static/appIcon_2x.png": 72,
    "appserver/static/appIcon.png": 36,  # alert_actions.conf looks for icon_path here
}
_SAMPLES = 4  # per pixel and direction: smooth edges
_CLEAR: Colour = (0, 0, 0, 0)
_GROUND: Colour = (27, 38, 59, 255)
_RING: Colour = (240, 244, 248, 255)
_BAR: Colour = (217, 72, 65, 255)


def colour_at(x: float, y: float) -> Colour:
    """The drawing, in a square from -1 to 1."""
    corner = max(abs(x) - 0.65, 0.0), max(abs(y) - 0.65, 0.0)
    if math.hypot(*corner) > 0.35:
        return _CLEAR
    along, across = (x + y) / math.sqrt(2), (x - y) / math.sqrt(2)
    if abs(along) < 0.14 and abs(across) < 0.8:
        return _BAR
    if 0.38 < math.hypot(x, y) < 0.62 and abs(along) > 0.22:
        return _RING
    return _GROUND


def pixel(x: int, y: int, size: int) -> bytes:
    """One pixel, averaged over its samples with alpha taken into account."""
    total = [0.0, 0.0, 0.0, 0.0]
    for i in range(_SAMPLES):
        for j in range(_SAMPLES):
            u = 2 * (x + (i + 0.5) / _SAMPLES) / size - 1
            v = 2 * (y + (j + 0.5) / _SAMPLES) / size - 1
            red, green, blue, alpha = colour_at(u, v)
            for channel, value in enumerate((red, green, blue)):
                total[channel] += value * alpha
            total[3] += alpha
    if not total[3]:
        return bytes(4)
    return bytes([*(round(value / total[3]) for value in total[:3]), round(total[3] / _SAMPLES**2)])


def png(size: int, draw: Callable[[int, int, int], bytes] = pixel) -> bytes:
    """A PNG of size x size pixels."""
    rows = b"".join(b"\0" + b"".join(draw(x, y, size) for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    for name, size in FILES.items():
        path = ROOT / "splunk_app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(size))


if __name__ == "__main__":
    main()

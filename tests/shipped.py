"""What the project ships, read and built once in a process: it takes seconds, and many modules ask for it."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import Mapping, Tuple

from responders.content.build import build
from responders.content.detection import Detection
from responders.content.loader import load_detections


@functools.cache
def detections() -> Tuple[Detection, ...]:
    """Every detection, by slug."""
    return load_detections()


@functools.cache
def built() -> Mapping[str, str]:
    """Path below the project to content, for every generated file."""
    return MappingProxyType(build())

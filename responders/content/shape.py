"""Whether a detection's file has the keys and values of schema.json: an error for each place, with its line."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, List, Sequence, Tuple

import jsonschema

from responders.errors import BadDetection, BadInput
from responders.yaml_source import Source

_SCHEMA = Path(__file__).with_name("schema.json")
_PAGE = "docs/writing_detections.md"
_LONGEST = 200


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


def shape_errors(source: Source) -> List[BadInput]:
    """What is wrong, in the order of the file; each names its key."""
    found = [one for error in _validator().iter_errors(source.value) for one in _errors(error, source)]
    value = source.value if isinstance(source.value, dict) else {}
    examples = value.get("examples")
    for place, example in enumerate(examples if isinstance(examples, list) else ()):
        if isinstance(example, dict) and ("fires" in example) == ("quiet" in example):
            key = ("examples", place)
            found.append(_error(source, key, "says neither fires nor quiet, or both", "keep one of the two"))
    return sorted(found, key=lambda error: int(error.place.rpartition(":")[2]))


def _errors(error: Any, source: Source) -> Iterator[BadDetection]:
    path: Tuple[Any, ...] = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {}))
        for key in error.instance:
            if key not in known:
                yield _error(source, (*path, key), "is no key of a detection", _meant(str(key), known))
        return
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield _error(source, (*path, key), "is missing", f"add it ({_PAGE} says what belongs there)")
        return
    if error.validator == "enum":
        allowed = [str(item) for item in error.validator_value]
        yield _error(source, path, f"is {_short(error.instance)}", _meant(str(error.instance), allowed))
        return
    remedy = f"see {_PAGE}, Keys and Examples"
    if error.validator == "pattern":
        remedy = f"write it as {error.validator_value}"
    yield _error(source, path, error.message[:_LONGEST], remedy)


def _error(source: Source, path: Tuple[Any, ...], what: str, remedy: str) -> BadDetection:
    key = ".".join(str(part) for part in path) or "the file"
    return BadDetection(f"{key}: {what}", place=source.place(path), remedy=remedy)


def _meant(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, 1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

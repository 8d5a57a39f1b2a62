"""What depends on what: everything that stops with an identity, and a picture of it in layers, left to right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Set, Tuple

Edges = Mapping[str, Sequence[str]]
"""From a name to what stops when it is taken out. A name may be an identity of its own, and have dependents then."""
WIDE, HIGH, GAP_X, GAP_Y = 170, 30, 70, 12
_BAND = 22
"""Pixels between pictures that have nothing to do with one another."""
_LETTERS = 21
_FAN = 8
"""Dependents of one box that get a box of their own; the others are counted in one."""
_DEEP = 3
"""Levels below a start that are drawn: more would not fit beside one another."""


@dataclass(frozen=True)
class Node:
    """A box: what it says, its whole name, where it is in pixels.

    `kind` is identity (it has dependents), end, or more (how many others there are).
    """

    name: str
    text: str
    x: int
    y: int
    kind: str


@dataclass(frozen=True)
class Drawing:
    """Boxes, curves (SVG path data), and the size in pixels. `left_out` names found no room."""

    nodes: Tuple[Node, ...]
    paths: Tuple[str, ...]
    width: int
    height: int
    left_out: int


def breaks(edges: Edges, start: str, most: int = 0) -> Tuple[str, ...]:
    """Everything that stops with `start`, the nearest first, `most` at most; circles end where they began."""
    found: Dict[str, None] = {}
    ahead = list(edges.get(start, ()))
    while ahead:
        beyond: List[str] = []
        for name in ahead:
            if name not in found and name != start:
                if most and len(found) == most:
                    return tuple(found)
                found[name] = None
                beyond.extend(edges.get(name, ()))
        ahead = beyond
    return tuple(found)


def draw(
    edges: Edges, starts: Sequence[str], names: Mapping[str, str] = {}, notes: Mapping[str, str] = {}, most: int = 40,
    each: int = 16,
) -> Drawing:  # fmt: skip
    """The graph below `starts`, which come in the order of their weight: `most` boxes, `each` start so many at most.

    `names` are shown in the place of ids, and what `notes` say in a box of its own behind. What stops behind another box
    has no curve of its own. Layers by the longest way from a start, without the edges that close a circle; within a layer
    by the middle of what leads there, so that few curves cross (Sugiyama, Tagawa, Toda 1981).
    """
    kept: Dict[str, None] = {}
    for start in starts:
        if len(kept) < most:
            _take(edges, start, kept, min(most, len(kept) + each))
    shown = {name: [to for to in edges.get(name, ()) if to in kept] for name in kept}
    hidden = {name: len({*edges.get(name, ())} - {name} - {*kept}) for name in kept}
    forward = _reduced(_without_circles(shown))
    texts = {name: names.get(name, name) for name in kept}
    kinds = {name: "identity" if edges.get(name) or name in notes else "end" for name in kept}
    for name, count in hidden.items():
        for text in (f"and {count} more" if count else "", notes.get(name, "")):
            if text:
                more = f"{name}\0{text}"
                forward[name].append(more)
                forward[more], texts[more], kinds[more] = [], text, "more"
    places = _placed(forward)
    nodes = tuple(Node(name.partition("\0")[0], _short(texts[name]), x, y, kinds[name]) for name, (x, y) in places.items())
    paths = tuple(_curve(places[name], places[to]) for name, tos in forward.items() for to in tos)
    every = {*starts, *(to for name in edges for to in edges[name])}
    width = max((x for x, _ in places.values()), default=0) + WIDE
    height = max((y for _, y in places.values()), default=0) + HIGH
    return Drawing(nodes, paths, width, height, len(every - {*kept}))


def _take(edges: Edges, start: str, kept: Dict[str, None], room: int) -> None:
    """Take `start` and what is below it, level by level, while there is room; of a fan those that lead on come first."""
    kept.setdefault(start)
    ahead = [start]
    for _ in range(_DEEP):
        beyond: List[str] = []
        for name in ahead:
            fan = sorted(dict.fromkeys(edges.get(name, ())), key=lambda to: not edges.get(to))
            for to in fan[: _FAN + 1] if len(fan) == _FAN + 1 else fan[:_FAN]:
                if to not in kept and len(kept) < room:
                    kept[to] = None
                    beyond.append(to)
        ahead = beyond


def _placed(forward: Mapping[str, Sequence[str]]) -> Dict[str, Tuple[int, int]]:
    """Where each box is: what hangs together is one band, and the bands are one below the other."""
    places: Dict[str, Tuple[int, int]] = {}
    top = 0
    for part in _parts(forward):
        layer = _layers({name: forward[name] for name in part})
        columns: List[List[str]] = [[] for _ in range(max(layer.values()) + 1)]
        for name in part:
            columns[layer[name]].append(name)
        _untangle(columns, forward)
        tallest = max(map(len, columns))
        for number, column in enumerate(columns):
            offset = top + (tallest - len(column)) * (HIGH + GAP_Y) // 2
            for row, name in enumerate(column):
                places[name] = (number * (WIDE + GAP_X), offset + row * (HIGH + GAP_Y))
        top += tallest * (HIGH + GAP_Y) + _BAND
    return places


def _parts(forward: Mapping[str, Sequence[str]]) -> List[List[str]]:
    """The names of each part that hangs together, in their order."""
    parent = {name: name for name in forward}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for name, tos in forward.items():
        for to in tos:
            parent[root(to)] = root(name)
    found: Dict[str, List[str]] = {}
    for name in forward:
        found.setdefault(root(name), []).append(name)
    return list(found.values())


def _without_circles(edges: Edges) -> Dict[str, List[str]]:
    """The edges but those that lead back, found by a walk in depth without recursion."""
    forward: Dict[str, List[str]] = {name: [] for name in edges}
    done: Set[str] = set()
    for root in edges:
        if root in done:
            continue
        path: Dict[str, int] = {root: 0}
        stack = [root]
        while stack:
            name = stack[-1]
            tos = edges.get(name, ())
            if path[name] < len(tos):
                to = tos[path[name]]
                path[name] += 1
                if to in path:
                    continue  # it would close a circle
                if to not in forward[name]:
                    forward[name].append(to)
                if to not in done:
                    path[to] = 0
                    stack.append(to)
            else:
                done.add(name)
                del path[name]
                stack.pop()
    return forward


def _reduced(forward: Mapping[str, Sequence[str]]) -> Dict[str, List[str]]:
    """Without the edges to what another edge leads to as well, a longer way: it stops all the same, with half the lines."""
    kept: Dict[str, List[str]] = {}
    for name, tos in forward.items():
        beyond = {far for to in tos for far in breaks(forward, to)} if len(tos) > 1 else ()
        kept[name] = [to for to in tos if to not in beyond]
    return kept


def _layers(forward: Mapping[str, Sequence[str]]) -> Dict[str, int]:
    layer = dict.fromkeys(forward, 0)
    waiting = dict.fromkeys(forward, 0)
    for tos in forward.values():
        for to in tos:
            waiting[to] += 1
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        for to in forward[name]:
            layer[to] = max(layer[to], layer[name] + 1)
            waiting[to] -= 1
            if not waiting[to]:
                ready.append(to)
    return layer


def _untangle(columns: List[List[str]], forward: Mapping[str, Sequence[str]]) -> None:
    before: Dict[str, List[str]] = {}
    for name, tos in forward.items():
        for to in tos:
            before.setdefault(to, []).append(name)
    for sweep in range(4):
        place = {name: row for column in columns for row, name in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            near = before if sweep % 2 == 0 else forward
            middle = {name: _middle([place[other] for other in near.get(name, ())], place[name]) for name in column}
            column.sort(key=lambda name: middle[name])
            place.update({name: row for row, name in enumerate(column)})


def _middle(places: Sequence[int], own: int) -> float:
    return sum(places) / len(places) if places else float(own)


def _curve(start: Tuple[int, int], end: Tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + WIDE, start[1] + HIGH // 2, end[0], end[1] + HIGH // 2
    half = (x1 + x2) // 2
    return f"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}"


def _short(name: str) -> str:
    """Cut in the middle: names of one family differ at their end."""
    end = _LETTERS // 3
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1 - end]}…{name[-end:]}"

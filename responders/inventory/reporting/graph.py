"""What depends on what: everything that stops with an identity, and a picture of it in layers, left to right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Set, Tuple

Edges = Mapping[str, Sequence[str]]
"""From a name to what stops when it is taken out. A name may be an identity of its own, and have dependents then."""
WIDE, HIGH, GAP_X, GAP_Y = 170, 30, 70, 12
_LETTERS = 21


@dataclass(frozen=True)
class Node:
    """A box: its text, where it is in pixels, and whether it is an identity of the inventory."""

    name: str
    text: str
    x: int
    y: int
    identity: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes, curves (SVG path data), and the size in pixels. `left_out` boxes found no room."""

    nodes: Tuple[Node, ...]
    paths: Tuple[str, ...]
    width: int
    height: int
    left_out: int


def breaks(edges: Edges, start: str) -> Tuple[str, ...]:
    """Everything that stops with `start`, the nearest first; circles end where they began."""
    found: Dict[str, None] = {}
    ahead = list(edges.get(start, ()))
    while ahead:
        beyond: List[str] = []
        for name in ahead:
            if name not in found and name != start:
                found[name] = None
                beyond.extend(edges.get(name, ()))
        ahead = beyond
    return tuple(found)


def draw(edges: Edges, starts: Sequence[str], most: int = 40) -> Drawing:
    """The graph below `starts`, which come in the order of their weight; what is beyond `most` boxes is left out.

    Layers by the longest way from a start, without the edges that close a circle; within a layer by the middle of what
    leads there, so that few curves cross (Sugiyama, Tagawa, Toda 1981).
    """
    kept: Dict[str, None] = {}
    every: Set[str] = set()
    for start in starts:
        group = (start, *breaks(edges, start))
        every.update(group)
        new = [name for name in group if name not in kept]
        if len(kept) + len(new) <= most:
            kept.update(dict.fromkeys(new))
    forward = _without_circles({name: [to for to in edges.get(name, ()) if to in kept] for name in kept})
    layer = _layers(forward)
    columns: List[List[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in kept:
        columns[layer[name]].append(name)
    _untangle(columns, forward)
    tallest = max(map(len, columns), default=0)
    places: Dict[str, Tuple[int, int]] = {}
    for number, column in enumerate(columns):
        top = (tallest - len(column)) * (HIGH + GAP_Y) // 2
        for row, name in enumerate(column):
            places[name] = (number * (WIDE + GAP_X), top + row * (HIGH + GAP_Y))
    nodes = tuple(Node(name, _short(name), x, y, name in edges) for name, (x, y) in places.items())
    paths = tuple(_curve(places[name], places[to]) for name, tos in forward.items() for to in tos)
    width = max(1, len(columns) * (WIDE + GAP_X) - GAP_X)
    return Drawing(nodes, paths, width, max(1, tallest * (HIGH + GAP_Y) - GAP_Y), len(every - set(kept)))


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
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"

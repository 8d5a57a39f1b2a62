"""Where the drill is shown. The command line has one for people and one for machines."""

from __future__ import annotations

from typing import Callable, ContextManager, Protocol, Sequence

from responders.model import Outcome

Update = Callable[[str], None]
"""Says how far a piece of work is."""


class Stage(Protocol):
    """What the scenes tell while they run. Kinds: detect, also, contain, told, open, note, good, bad."""

    def scene(self, key: str, title: str, data: Sequence[Sequence[str]]) -> None:
        """A scene begins; `data` are pairs: real, real-shaped or synthetic, and what is."""
        ...

    def tell(self, kind: str, line: str) -> None: ...

    def outcomes(self, outcomes: Sequence[Outcome], since: float) -> None:
        """What became of the steps; `since` is the time.time() from which they are counted."""
        ...

    def busy(self, text: str) -> ContextManager[Update]:
        """Something takes a while: shown as long as the block runs."""
        ...

    def call(self, when: str, vendor: str, method: str, name: str) -> None:
        """The responder calls a vendor (`when` is before or after). Comes from many threads."""
        ...

"""The one error of this package."""

from __future__ import annotations

from responders.errors import BadInput

SUBSET = "See docs/spl.md for the subset that is evaluated"


class SplError(BadInput):
    """A search that can't be read, or that this subset does not evaluate.

    `line` and `column` count from 1 in the text as written, before macros are expanded; what stands inside a macro's
    definition is reported at the macro's call.
    """

    def __init__(self, message: str, line: int, column: int, *, remedy: str = SUBSET) -> None:
        super().__init__(message, place=f"SPL line {line}, column {column}", remedy=remedy)
        self.line = line
        self.column = column

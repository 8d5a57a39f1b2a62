"""The eval functions, a module per page of the Search Reference's "Evaluation functions"."""

from __future__ import annotations

from responders.content.spl.functions import logic, multivalue, numbers, objects, strings, timing
from responders.content.spl.functions.registry import FUNCTIONS

__all__ = ["FUNCTIONS", "logic", "multivalue", "numbers", "objects", "strings", "timing"]

"""What an action is: one change at one vendor, with check, apply, confirm, undo, or the reason why it has no undo."""

from __future__ import annotations

import abc
from datetime import datetime
from typing import Callable, ClassVar, Iterable, List, Optional, Tuple, TypeVar

from responders.errors import Forbidden, NotFound, TourniquetError
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

T = TypeVar("T")


class Action(abc.ABC):
    """One change at one vendor. Subclasses are stateless; each module holds one instance, `ACTION`.

    Class attributes declare it; the permission and documentation tables are generated from them.
    """

    vendor: ClassVar[str]
    kinds: ClassVar[Tuple[str, ...]]
    """Account kinds it can be applied to."""
    phase: ClassVar[Phase]
    least_tier: ClassVar[Tier]
    permissions: ClassVar[Tuple[str, ...]]
    """Exactly what the responder's credential needs, in the vendor's words."""
    breaks: ClassVar[str]
    """What stops working for the identity and for others."""
    irreversible: ClassVar[str] = ""
    """Why there is no undo; "" when there is one."""
    needs: ClassVar[Tuple[str, ...]] = ()
    """Evidence names without which there is nothing to act on (`okta.api_token_id`); any one of them is enough."""
    hands_over: ClassVar[bool] = False
    """True when an enabled account could set its own password or enrol a factor by it: only after a confirmed block."""
    uses: ClassVar[Tuple[str, ...]] = ()
    """Evidence names it takes when the alert has them, beside what it reads at the vendor itself."""
    manual: ClassVar[str]
    """The same by hand, in the vendor's own console: one sentence for the escalation."""

    @property
    def name(self) -> str:
        """`vendor.verb_object`, from the place of its module."""
        return ".".join(type(self).__module__.split(".")[-2:])

    @abc.abstractmethod
    def check(self, api: VendorClient, step: Step) -> State:
        """Read the state now. Writes nothing. Raises NotFound when the account does not exist."""

    @abc.abstractmethod
    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        """Make the change. `before` was read just now, and is not contained; a refusal by the vendor raises."""

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        """Read back, and say what was seen. The default reads the state again."""
        now = self.check(api, step)
        if now.contained:
            return outcome(api, step, Status.CONFIRMED, self.proof(now))
        return outcome(api, step, Status.FAILED, now.wrong or f"read back and not contained: {self.proof(now)}")

    def proof(self, now: State) -> str:
        """What the read-back showed, in words."""
        return ", ".join(f"{key}={value}" for key, value in sorted(now.data.items()))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        """Put back what `before` recorded. Only called when `irreversible` is ""."""
        raise NotImplementedError(f"{self.name} has no undo: {self.irreversible}")

    def restored(self, before: State, now: State) -> bool:
        """True when what this action changed is again as it was before."""
        return before.data == now.data


def outcome(api: VendorClient, step: Step, status: Status, proof: str, residual_until: Optional[datetime] = None) -> Outcome:
    """An outcome at the vendor client's time."""
    return Outcome(step, status, proof, api.now(), residual_until)


def told(action: Action, error: object) -> str:
    """An error in words that can be acted on: what permission is missing, or that an answer can't be read."""
    if isinstance(error, Forbidden):
        return f"{error}. {action.name} needs: {'; '.join(action.permissions)}"
    if isinstance(error, Exception) and not isinstance(error, TourniquetError):
        return f"{action.vendor}: an answer of another shape than documented ({type(error).__name__}: {str(error)[:120]})"
    return str(error)


def each(items: Iterable[T], change: Callable[[T], object], *, gone_is_fine: bool = False) -> None:
    """Apply `change` to every item even when one fails; then raise the first failure.

    With `gone_is_fine` a NotFound of one item counts as done: only for items that were listed a moment ago.
    """
    failures: List[TourniquetError] = []
    for item in items:
        try:
            change(item)
        except NotFound as error:
            if not gone_is_fine:
                failures.append(error)
        except TourniquetError as error:
            failures.append(error)
    if failures:
        raise failures[0]

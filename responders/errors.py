"""Every error Tourniquet raises, in one tree.

::

    TourniquetError
    ├── BadInput                  what was handed in is wrong: names the place and the remedy
    │   ├── BadAlert              a SIEM payload or one of its rows
    │   ├── BadPolicy             the policy file
    │   ├── BadInventory          the inventory file
    │   ├── BadDetection          a file in detections/
    │   └── BadSettings           the connection settings
    ├── BadInputs                 several BadInput at once, so that one run shows them all
    ├── Refused                   a guard, a missing right of the person asking, or halt
    │   └── Halted                `tourniquet halt` is on: nothing is written at any vendor
    ├── InventoryError            the inventory's store can't be read now
    ├── JournalError              the journal can't be written or read
    │   └── Tampered              the journal was edited, cut, reordered or forged
    ├── ElasticFailed             Elasticsearch refused a call of the responder, or did not answer
    ├── MirrorError               the SIEM does not take journal entries now; the journal itself has them
    └── VendorError               a vendor answered with an error, or did not answer
        ├── Retryable             nothing changed there; the same call may succeed later
        │   ├── Unavailable       connection refused, 5xx, sealed
        │   └── RateLimited       429; `retry_at` says when
        ├── Permanent             the same call will fail again
        │   ├── Unauthorized      401: the responder's own credential is not accepted
        │   ├── Forbidden         403: the responder lacks a permission
        │   ├── NotFound          404: the object, or the endpoint, does not exist
        │   ├── WrongState        400, 409, 412: the object is in a state that does not allow the change
        │   └── BadAnswer         an answer that can't be read: not JSON, too large, wrong shape
        └── OutcomeUnknown        the change was sent and no answer came: read the state, never just repeat
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple


class TourniquetError(Exception):
    """Base of all errors here. `str(error)` is one line that a person can act on."""


class BadInput(TourniquetError):
    """Wrong input. `place` is file:line, row or field; `remedy` says what to do."""

    def __init__(self, message: str, *, place: str, remedy: str) -> None:
        super().__init__(f"{place}: {message}. {remedy}")
        self.message = message
        self.place = place
        self.remedy = remedy


class BadAlert(BadInput):
    """A SIEM payload, or one row of its results, can't be read as an alert."""


class BadPolicy(BadInput):
    """The policy file breaks its schema or contradicts itself."""


class BadInventory(BadInput):
    """The inventory file breaks its schema, or two rows claim the same account."""


class BadDetection(BadInput):
    """A detection file breaks its schema."""


class BadSettings(BadInput):
    """The settings file is incomplete, or a secret is not where it must be."""


class BadInputs(TourniquetError):
    """All the wrong places of one input, in the order in which they stand there."""

    def __init__(self, errors: Sequence[BadInput]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors: Tuple[BadInput, ...] = tuple(errors)


class Refused(TourniquetError):
    """A guard, a missing right or a missing approval. Nothing was written."""


class Halted(Refused):
    """Automation is halted (`tourniquet halt`); `tourniquet resume` lifts it."""


class InventoryError(TourniquetError):
    """The inventory's store can't be read now; the alert stays due, and is taken up again."""


class JournalError(TourniquetError):
    """The journal can't be read or written."""


class Tampered(JournalError):
    """The journal does not verify: an edit, deletion, reordering, truncation or forgery."""


class ElasticFailed(TourniquetError):
    """Elasticsearch's refusal or silence. `status` is 0 without an answer, `kind` its own name for why.

    `again`: the same call may succeed later.
    """

    def __init__(self, message: str, *, status: int, kind: str, again: bool) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.again = again


class MirrorError(TourniquetError):
    """The SIEM's index can't take journal entries now. They are in the journal, and are told later."""


class VendorError(TourniquetError):
    """A vendor's refusal or silence.

    `status` is the HTTP status (0 when there was no answer), `code` the vendor's own error code ("" if none).
    The message holds no secret: transport redacts before it raises.
    """

    def __init__(self, vendor: str, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(f"{vendor}: {message}")
        self.vendor = vendor
        self.message = message
        self.status = status
        self.code = code


class Retryable(VendorError):
    """Nothing changed at the vendor; the call may be repeated."""


class Unavailable(Retryable):
    """Connection refused, reset before the request was sent, 5xx on a read, or sealed."""


class RateLimited(Retryable):
    """429. `retry_at` is the time (epoch seconds) from which the vendor accepts calls again."""

    def __init__(
        self,
        vendor: str,
        message: str,
        *,
        retry_at: Optional[float] = None,
        status: int = 429,
        code: str = "",
    ) -> None:
        super().__init__(vendor, message, status=status, code=code)
        self.retry_at = retry_at


class Permanent(VendorError):
    """The same call will fail the same way."""


class Unauthorized(Permanent):
    """401: the responder's own credential is refused."""


class Forbidden(Permanent):
    """403: the responder lacks a permission."""


class NotFound(Permanent):
    """404. An endpoint that does not exist answers so too: never proof that something is gone."""


class WrongState(Permanent):
    """400, 409 or 412: the object's state does not allow the change."""


class BadAnswer(Permanent):
    """The answer can't be read: not JSON, over the size limit, or of another shape than documented."""


class OutcomeUnknown(VendorError):
    """A change was sent and its answer was lost: the real state must be read before anything else."""

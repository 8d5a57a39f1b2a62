"""The reading in a process of its own: Okta's SDK takes over 100 MB to import, which joining would have to share."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Callable, List, Sequence, Union

from responders.errors import InventoryError
from responders.inventory.sync.run import How, Read, Told
from responders.inventory.sync.vendors import read_all
from responders.settings import Connection


def read_apart(
    connections: Sequence[Connection], state: Path, *, full: bool, keep: float, tell: Callable[[Told], None]
) -> List[Read]:
    """As `read_all`. Secrets go through a pipe, never by arguments or the environment. For the main thread.

    Raises InventoryError.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_read, args=(theirs,), daemon=True)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: a Ctrl-C reaches us alone, and we end the child
    try:
        child.start()
    finally:
        signal.signal(signal.SIGINT, before)
    theirs.close()
    try:
        ours.send((tuple(connections), state, full, keep))
        while True:
            found: Union[Told, List[Read]] = ours.recv()
            if not isinstance(found, Told):
                return found
            tell(found)
    except (EOFError, OSError):
        what = "the process that reads the vendors ended before it was done"
        raise InventoryError(f"{what}. Run it again: it goes on where it was") from None
    except KeyboardInterrupt:
        child.terminate()
        raise
    finally:
        ours.close()
        child.join(10)
        if child.is_alive():
            child.terminate()


def _read(pipe: Pipe) -> None:
    connections, state, full, keep = pipe.recv()
    # Threads of several vendors tell at once: a Connection takes one message at a time.
    lock = threading.Lock()

    def tell(told: Told) -> None:
        with lock:
            pipe.send(told)

    # Without anybody to tell, the reading ends with its page; what was staged is taken up the next time.
    with contextlib.suppress(BrokenPipeError):
        pipe.send(read_all(connections, state, How(full=full, keep=keep, tell=tell)))

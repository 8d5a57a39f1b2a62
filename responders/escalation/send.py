"""Sends a report through every channel at once; what could not be delivered is handed back, to be retried."""

from __future__ import annotations

import threading
import time
from typing import Dict, Sequence, Tuple

from responders.errors import TourniquetError
from responders.escalation.report import Channel, Report


def send(channels: Sequence[Channel], report: Report, seconds: float) -> Tuple[Tuple[str, str], ...]:
    """Deliver within `seconds`; (channel name, why) of each that failed or took longer. Never raises."""
    deadline = time.monotonic() + seconds
    failed: Dict[str, str] = {channel.name: "took too long" for channel in channels}

    def deliver(channel: Channel) -> None:
        try:
            channel.send(report, deadline)
            failed.pop(channel.name, None)
        except TourniquetError as error:
            failed[channel.name] = str(error)
        except Exception as error:  # a broken channel is reported, and must not stop the others; its text may hold a URL
            failed[channel.name] = f"the channel is broken ({type(error).__name__})"

    threads = [threading.Thread(target=deliver, args=(channel,), daemon=True) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(sorted(failed.copy().items()))  # a late channel may still write to it

"""Sends a report through every channel at once; what could not be delivered is handed back, to be retried."""

from __future__ import annotations

import threading
import time
from typing import Dict, Sequence, Tuple

from responders.escalation.report import Channel, Report


def send(channels: Sequence[Channel], report: Report, seconds: float) -> Tuple[Tuple[str, str], ...]:
    """Deliver within `seconds`; (channel name, why) of each that failed or took longer. Never raises."""
    deadline = time.monotonic() + seconds
    failed: Dict[str, str] = {channel.name: "took too long" for channel in channels}

    def deliver(channel: Channel) -> None:
        try:
            channel.send(report, deadline)
            failed.pop(channel.name, None)
        except Exception as error:  # a broken channel is reported, and must not stop the others
            failed[channel.name] = str(error)

    threads = [threading.Thread(target=deliver, args=(channel,), daemon=True) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(sorted(failed.items()))

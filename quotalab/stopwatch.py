"""When a run began and what it took."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any


class Stopwatch:
    """When a run began and what it has taken so far.

    CPU seconds are those of this process and of the child processes that have ended.
    """

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._clock, self._cpu = time.monotonic(), _cpu_seconds()

    def read(self) -> dict[str, Any]:
        """Start (UTC), seconds and CPU seconds."""
        return {
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._clock, 3),
            "cpu_seconds": round(_cpu_seconds() - self._cpu, 3),
        }


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system

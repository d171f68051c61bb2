"""Worker processes that do not hear Ctrl-C: this process hears it and ends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

from sim.run import shielded


@contextmanager
def deaf() -> Iterator[None]:
    """Processes started inside never see Ctrl-C; this one sees it afterwards."""
    # Python starts its tracker together with the first worker and lets Ctrl-C through again for that, for good.
    resource_tracker.ensure_running()
    with shielded():
        yield

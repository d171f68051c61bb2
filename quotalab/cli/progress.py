"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from quotalab.cli.streams import tell

Progress = Callable[[int, int], None]

LINE_EVERY_SECONDS = 10.0


def silent(done: int, total: int) -> None:
    """Shows nothing."""


@contextlib.contextmanager
def bar(what: str) -> Iterator[Progress]:
    """A bar on stderr: done, total, time left; it vanishes when the work ends."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield report


def lines(what: str, clock: Callable[[], float] = time.monotonic, *, language: str = "en") -> Progress:
    """A line on stderr every :data:`LINE_EVERY_SECONDS`; short work shows none.

    The time left follows from the pace since the first part was done: before that the engine may have been compiled.
    """
    last = clock()
    start: tuple[float, int] | None = None

    def report(done: int, total: int) -> None:
        nonlocal last, start
        now = clock()
        if start is None and done:
            start = now, done
        if now - last < LINE_EVERY_SECONDS or done >= total:
            return
        last = now
        far = {"what": what, "done": done, "total": total}
        name = "hint.far"
        if start is not None and done > start[1]:
            far["left"] = f"{(now - start[0]) / (done - start[1]) * (total - done):.0f}"
            name = "hint.far_left"
        from experiments.words import word

        tell(word(name, language, **far))

    return report

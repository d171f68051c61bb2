"""What the user sees: results on stdout, progress and hints on stderr, never mixed."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import warnings
from collections.abc import Iterator
from logging import Handler, LogRecord, getLogger
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from quotalab.cli.progress import Progress, bar, lines, silent
from quotalab.cli.streams import tell, write
from quotalab.stopwatch import Stopwatch
from scenarios.errors import InfeasiblePlan, InputRefused

if TYPE_CHECKING:
    from experiments.money import Language


class Terminal:
    """The terminal for the length of one command.

    Inside the ``with`` block file descriptor 1 leads to stderr, so that whatever a library prints there (solvers
    greet) cannot mix with the results; these go to the real stdout by :meth:`show`.

    Args:
        as_json: results are one JSON document.
        quiet: neither progress nor hints, nor notes on what is missing from figures.
        language: that was asked for; English until the scenario's own is known.

    Attributes:
        language: of progress, hints, and the words in which a request is refused.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False, language: str | None = None) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.language: str = "zh" if language == "zh" else "en"
        self.watch = Stopwatch()
        self._warnings = _Told(self)

    def __enter__(self) -> Terminal:
        sys.stdout.flush()
        self._results: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="")
        os.dup2(2, 1)
        self._python = contextlib.redirect_stdout(sys.stderr)
        self._python.__enter__()
        getLogger("quotalab").addHandler(self._warnings)
        self._notes = warnings.catch_warnings()
        self._notes.__enter__()
        if self.quiet:
            warnings.simplefilter("ignore")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, InputRefused | InfeasiblePlan):
            error.language = self.language
        self._notes.__exit__(kind, error, trace)
        getLogger("quotalab").removeHandler(self._warnings)
        self._python.__exit__(kind, error, trace)
        _flush_libraries()
        os.dup2(self._results.fileno(), 1)
        self._results.close()

    def show(self, text: str, document: Any) -> None:
        """The result: ``text`` for people, or ``document`` for machines where they were asked for."""
        write(self._results, json_text(document) if self.as_json else f"{text.rstrip()}\n")

    def speak(self, language: str | None, own: str) -> Language:
        """The language from here on: the one asked for, else the scenario's own.

        Raises:
            InputRefused: pages do not exist in this language.
        """
        from experiments.words import check_language

        spoken = check_language(language or own)
        self.language = spoken
        return spoken

    def hint(self, hint: str, /, **fields: object) -> None:
        """A remark beside the result, by its name among the words."""
        if not self.quiet:
            from experiments.words import word

            tell(word(f"hint.{hint}", self.language, **fields))

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """A callback (done, total) that shows how far long work is and when it will be finished."""
        if self.quiet:
            yield silent
            return
        from experiments.words import known

        shown = known("work", what, self.language)
        if sys.stderr.isatty() and not self.as_json:
            with bar(shown) as report:
                yield report
        else:
            yield lines(shown, language=self.language)


class _Told(Handler):
    """Tells what the program logs, such as that it compiles for a while, even where no progress is shown."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: LogRecord) -> None:
        from experiments.words import known

        tell(known("work", record.getMessage(), self._terminal.language))


def json_text(document: Any) -> str:
    """One JSON document; Chinese stays readable, NaN and infinities are refused rather than written as no JSON."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _flush_libraries() -> None:
    """Empty the C library's own buffers while descriptor 1 still leads to stderr."""
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).fflush(None)

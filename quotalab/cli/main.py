"""From arguments to an exit code; every error becomes a message without a traceback.

Exit codes: 0 done, 1 refused input, 2 wrong usage, 3 infeasible plan, 70 a fault of quotalab itself, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from quotalab.cli.streams import tell
from scenarios.errors import InfeasiblePlan, InputRefused, QuotalabError, RunInterrupted

DONE, REFUSED, INFEASIBLE, FAULT, INTERRUPTED = 0, 1, 3, 70, 130
BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    _open_closed_streams()
    warnings.showwarning = _told_plainly
    code = run(sys.argv[1:] if arguments is None else arguments)
    # From here on a Ctrl-C ends the process at once; the interpreter, on its way out, would print where it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code. Results go to stdout, everything else to stderr.
    """
    stdout = sys.stdout
    try:
        from quotalab.cli.app import app

        app(args=list(arguments), prog_name="quotalab")
    except SystemExit as left:
        if sys.stdout is not stdout:
            # Whoever read the help has gone; the parser has put a stream in place that minds no more.
            return DONE
        code = left.code if isinstance(left.code, int) else DONE if left.code is None else REFUSED
        if code == INTERRUPTED:
            tell("stopped; nothing was written")
        return code
    except KeyboardInterrupt:
        tell("stopped; nothing was written")
        return INTERRUPTED
    except RunInterrupted as stopped:
        tell(str(stopped))
        return INTERRUPTED
    except InfeasiblePlan as error:
        tell(str(error))
        return INFEASIBLE
    except InputRefused as error:
        from quotalab.refusal_text import refusal_text

        tell(refusal_text(error))
        return REFUSED
    except QuotalabError as error:
        tell(str(error))
        return REFUSED
    except BrokenPipeError:
        # Whoever read the results has gone; the interpreter must not try to flush them once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except OSError as error:
        tell(f"{error.filename or 'the system'}: {error.strerror or error}")
        return REFUSED
    except MemoryError:
        tell("not enough memory: ask for fewer replications or fewer workers")
        return REFUSED
    except Exception as error:
        tell(_fault(error))
        return FAULT
    return DONE


def _told_plainly(message: Warning | str, *_: object, **__: object) -> None:
    """A warning in its own words; the place in the code helps nobody who reads a terminal."""
    tell(f"note: {message}")


def _open_closed_streams() -> None:
    """Give a caller who closed standard streams (``>&-``) ones that swallow everything."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is the closed one
            setattr(sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


def _fault(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    if os.environ.get("QUOTALAB_DEBUG"):
        return text
    handle, name = tempfile.mkstemp(prefix="quotalab-crash-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return (
        f"this is a fault of quotalab, not of your input: {type(error).__name__}: {error}\n"
        f"nothing was written; please report it with {Path(name)}"
    )

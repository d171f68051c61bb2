"""Writing to whoever listens, and to nobody when they have left: ``quotalab ... 2>&1 | head`` is no error."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def tell(text: str) -> None:
    """A line on stderr."""
    write(sys.stderr, f"{text.rstrip()}\n")


def write(stream: TextIO, text: str) -> None:
    """Write at once; after the reader has gone, what is written to the stream vanishes."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # The text still waits in the stream's buffer, and the interpreter would try to flush it on its way out.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

"""Compiled inner loops, kept on disk under a hash of all files that hold them.

The parts of the allocator know nothing of the simulator, so they do not share its settings: here functions may be long
and take arrays, and need no bytes that repeat across engines.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

# Vectorised mathematics rounds differently from scalar; numba reads this once, on its first import.
os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

import numba

from scenarios import physics

_FOLDER: Final = Path(__file__).parent
_NAMES: Final = ("compiled", "kernels", "moves", "recreate", "care_curves", "caring", "quota_room")
COMPILED_SOURCES: Final = (
    *(_FOLDER / f"{name}.py" for name in _NAMES),
    Path(physics.__file__),
)
"""Files with compiled functions or their constants."""

F = TypeVar("F", bound=Callable[..., Any])

_numba: Any = numba  # its settings are dynamic


def compiled(function: F) -> F:
    """Compile for the types of each call: an inner loop takes what its callers hold, arrays above all.

    Raises:
        ValueError: the function lives in a file that the name of the cache does not cover.
    """
    source = Path(function.__code__.co_filename)
    if source not in COMPILED_SOURCES:
        names = ", ".join(path.name for path in COMPILED_SOURCES)
        raise ValueError(f"{function.__qualname__} is in {source.name}, compiled functions in {names}")
    before = _numba.config.CACHE_DIR
    _numba.config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        return cast(F, _numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    finally:
        _numba.config.CACHE_DIR = before


def _folder() -> Path:
    """Beside Python's own compiled code, or where ``QUOTALAB_CACHE_DIR`` says; a fresh one where neither is writable.

    numba notices an edit in the file of a function, but not in those of the functions that it calls.
    """
    digest = hashlib.blake2b(digest_size=8)
    for source in COMPILED_SOURCES:
        digest.update(source.read_bytes())
    named = os.environ.get("QUOTALAB_CACHE_DIR")
    root = Path(named).expanduser() / "quotalab" if named else _FOLDER / "__pycache__"
    wanted = root / f"prices-{digest.hexdigest()}"
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError:
        return Path(tempfile.mkdtemp(prefix="quotalab-"))


CACHE_FOLDER: Final = _folder()
"""Where the code compiled by this process is kept."""

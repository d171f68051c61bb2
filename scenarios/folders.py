"""Folders that are written whole or not at all, and refused before any work where nothing can be written."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scenarios.errors import InputRefused, Problem

_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux' renameat2."""


_A_DAY = 24 * 3600
"""Seconds: no command writes for so long."""


def is_there(path: Path) -> bool:
    """Whether something stands there; under a name that no disk can hold nothing does."""
    try:
        return path.exists()
    except OSError:
        return False


def check_place(target: Path) -> None:
    """Refuse a folder that could not be made; found out by making one beside it and removing it again.

    Raises:
        InputRefused: a folder above is a file, or nothing of this name can be written there.
    """
    above = next((folder for folder in target.absolute().parents if is_there(folder)), Path("/"))
    if not above.is_dir():
        raise InputRefused(Problem(str(above), "", "is a file, no folder can be made in it", "name another"))
    try:
        _beside(target, "old-", above).rmdir()
    except OSError as error:
        problem = Problem(str(target), "", f"cannot be written: {error.strerror}", "name another folder")
        raise InputRefused(problem) from None


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A draft folder beside ``target`` that takes its place when the block ends well, and vanishes when it does not.

    Where the system can exchange two folders in one step, there is no moment at which the target is not there, so that
    a process that is killed leaves either the old one or the new one. What it leaves beside them is cleared away a day
    later.
    """
    draft, old = _beside(target, "", target.parent), _beside(target, "old-", target.parent)
    try:
        yield draft
        draft.chmod(0o755)
        if not (target.exists() and _exchanged(draft, target)):
            _moved_in(draft, target, old / "was")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    _clear_left_behind(target)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time in this folder while the block runs; the system lets go of it where a process is killed.

    Where the folder is not there yet, or the system has no such locks, nobody waits.
    """
    if sys.platform == "win32" or not folder.is_dir():
        yield
        return
    import fcntl

    place = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system has no such step or did not take it."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    rename = getattr(libc, "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def _moved_in(draft: Path, target: Path, was: Path) -> None:
    """Put the draft in the target's place in two steps; the target comes back where the second fails."""
    if target.exists():
        target.replace(was)
    try:
        draft.replace(target)
    except OSError:
        if was.exists():
            was.replace(target)
        raise


def _clear_left_behind(target: Path) -> None:
    """Remove drafts of this target that nobody has touched for a day: whoever wrote them was killed."""
    draft = re.compile(rf"\.{re.escape(target.name)}-(old-)?\w{{8}}")
    for folder in target.parent.iterdir():
        with suppress(OSError):
            if draft.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > _A_DAY:
                shutil.rmtree(folder, ignore_errors=True)


def _beside(target: Path, mark: str, folder: Path) -> Path:
    """A new folder with a hidden name of its own."""
    return Path(tempfile.mkdtemp(prefix=f".{target.name}-{mark}", dir=folder))

"""Folders that are written whole or not at all, and refused before any work where nothing can be written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.errors import InputRefused, Problem


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
    """A draft folder beside ``target`` that takes its place when the block ends well, and vanishes when it does not."""
    draft, old = _beside(target, "", target.parent), _beside(target, "old-", target.parent)
    try:
        yield draft
        draft.chmod(0o755)
        if target.exists():
            target.replace(old / "was")
        try:
            draft.replace(target)
        except OSError:
            if (old / "was").exists():
                (old / "was").replace(target)
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(target: Path, mark: str, folder: Path) -> Path:
    """A new folder with a hidden name of its own."""
    return Path(tempfile.mkdtemp(prefix=f".{target.name}-{mark}", dir=folder))

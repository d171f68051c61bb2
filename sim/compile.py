"""The one place where numba is configured: every rule, draw and kernel is compiled through :func:`scalar`.

Compiled code is kept on disk, since compiling takes seconds and loading it hundredths. numba notices
an edit in the file of the function it compiles, but not in the functions which that one calls from other
files, and would go on running the old rule. So the folder of the cache is named by a hash of *all*
sources that are ever compiled, with the versions of Python, numpy, numba and llvmlite (rule R8).

The environment variable ``QUOTALAB_CACHE_DIR`` moves the cache; where no folder can be written, a private one
under the system's temporary folder serves.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast, overload

# Intel's vector library rounds differently from the scalar mathematics of the same function; numba reads
# this variable once, on its first import.
os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

import numba

from scenarios.errors import Problem, Unsupported
from sim.compile_parts import Part, door

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder that holds the packages."""

COMPILED_SOURCES: Final = (
    "sim/compile.py",
    "sim/compile_parts.py",
    "sim/streams.py",
    "sim/samplers.py",
    "sim/counts.py",
    "sim/worktime.py",
    "sim/rules*.py",
    "sim/kernel/*.py",
    "sim/instant.py",
    "sim/log.py",
    "scenarios/physics*.py",
    "scenarios/ticks.py",
)
"""Globs under :data:`ROOT` of the files with compiled functions or their constants; :func:`scalar` refuses others."""

F = TypeVar("F", bound=Callable[..., Any])

_numba: Any = numba  # its dispatcher types would hide the signature of the function, its settings are dynamic


def compiled_sources(root: Path = ROOT) -> tuple[Path, ...]:
    """The files that the cache key covers, sorted."""
    return tuple(sorted({path for pattern in COMPILED_SOURCES for path in root.glob(pattern)}))


def cache_key(root: Path = ROOT) -> str:
    """Sixteen hexadecimal digits over the compiled sources and the versions of what compiles them."""
    digest = hashlib.blake2b(digest_size=8)
    packages = [importlib.metadata.version(name) for name in ("numpy", "numba", "llvmlite")]
    versions = (sys.version, platform.machine(), *packages)
    digest.update(repr(versions).encode())
    for path in compiled_sources(root):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def user_cache_folder() -> Path:
    """``QUOTALAB_CACHE_DIR``, else the platform's folder for caches of this user; it need not exist."""
    if named := os.environ.get("QUOTALAB_CACHE_DIR"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def kernel_folder(key: str) -> Path:
    """A writable folder for compiled code under this key, created when missing.

    The cache holds pickles, which run code when loaded: the fallback is therefore either a folder that only
    this user can write or a fresh one.
    """
    name = f"kernels-{key}"
    try:
        wanted = user_cache_folder() / "quotalab" / name
    except RuntimeError:  # no home folder is known
        wanted = None
    if wanted is not None and _writable(wanted):
        return wanted
    shared = Path(tempfile.gettempdir()) / f"quotalab-{_user()}"
    if _writable(shared) and _private(shared) and _writable(shared / name):
        return shared / name
    return Path(tempfile.mkdtemp(prefix="quotalab-")) / name


def assert_no_svml() -> None:
    """Refuse to run where numba replaces mathematics by Intel's vector library.

    Raises:
        Unsupported: numba was imported, with that library enabled, before this package.
    """
    if _numba.config.USING_SVML:
        raise Unsupported(
            Problem(
                "numba.config.USING_SVML",
                "True",
                "vectorised mathematics rounds differently from scalar, so results would not repeat",
                "set NUMBA_DISABLE_INTEL_SVML=1, or import quotalab before numba",
            )
        )


@overload
def scalar(function: F, /) -> F: ...
@overload
def scalar(signature: str, /) -> Callable[[F], F]: ...
def scalar(target: F | str, /) -> F | Callable[[F], F]:
    """Compile a function for both engines: IEEE arithmetic in the written order, releases the GIL, cached.

    As ``@scalar`` the types are those of each call. As ``@scalar("float64(uint64, int64)")`` they are fixed: a
    ``uint64`` that went through Python comes back as a signed integer, and only a fixed signature turns it into
    the same 64 bits again. Division by zero raises, as in Python.

    Raises:
        ValueError: the function lives in a file that the cache key does not cover.
    """
    if isinstance(target, str):
        signature = target
        return lambda function: cast(F, _door(_part(function, signature)))
    return cast(F, _door(_part(target)))


@overload
def inlined(function: F, /) -> F: ...
@overload
def inlined(signature: str, /) -> Callable[[F], F]: ...
def inlined(target: F | str, /) -> F | Callable[[F], F]:
    """As :func:`scalar`, with the code copied to where it is called: for what every loop draws and looks up.

    Such a function makes no arrays, so none are counted.
    """
    if isinstance(target, str):
        signature = target
        return lambda function: cast(F, _door(_part(function, signature, forceinline=True)))
    return cast(F, _door(_part(target, forceinline=True, _nrt=False)))


def kernel(function: F) -> F:
    """Compile a function that only compiled functions call: as :func:`scalar`, without a door for Python to come in by.

    Its code becomes part of its callers', so it is not cached on its own either (:mod:`sim.compile_parts`).

    Raises:
        ValueError: the function lives in a file that the cache key does not cover.
    """
    return cast(F, _part(function))


def inlined_kernel(function: F) -> F:
    """As :func:`kernel`, with the code copied to where it is called: for what an inner loop does at every step."""
    return cast(F, _part(function, forceinline=True))


def _part(function: Callable[..., Any], signature: str | None = None, **options: bool) -> Part:
    source = function.__code__.co_filename
    if source not in _COVERED and str(Path(source).resolve()) not in _COVERED:
        raise ValueError(
            f"{function.__qualname__} in {source}: compiled functions must live in a file that the cache key "
            f"covers; move it, or add the file to COMPILED_SOURCES ({', '.join(COMPILED_SOURCES)})"
        )
    rules = {"nogil": True, "fastmath": False, "error_model": "python", "boundscheck": False, "no_cfunc_wrapper": True}
    return Part(function, signature, **rules, **options)


def _door(part: Part) -> Any:
    with _cached_here():
        return door(part)


def is_ready(function: Any) -> bool:
    """Whether a function of fixed types is compiled or loaded."""
    return bool(function.overloads)


def make_ready(function: Any) -> None:
    """Compile or load a function of fixed types before it is called."""
    function.make_ready()


@contextmanager
def _cached_here() -> Iterator[None]:
    """numba's cache folder is global: lend it ours, so that other packages in the process keep theirs."""
    before = _numba.config.CACHE_DIR
    _numba.config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        yield
    finally:
        _numba.config.CACHE_DIR = before


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private(folder: Path) -> bool:
    if sys.platform == "win32":
        return True  # the temporary folder of Windows belongs to the user
    state = folder.lstat()
    return (
        stat.S_ISDIR(state.st_mode)
        and state.st_uid == os.getuid()
        and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _user() -> str:
    return os.environ.get("USERNAME", "user") if sys.platform == "win32" else str(os.getuid())


assert_no_svml()
_COVERED: Final = frozenset(map(str, compiled_sources()))
CACHE_FOLDER: Final = kernel_folder(cache_key())
"""Where the code compiled by this process is kept."""

"""Compile what only compiled code calls as a part of its callers, without machine code of its own.

numba optimises and translates each function together with all that it calls, so a function below ten levels of calls is
gone over ten times, and nine times for machine code that nobody runs. A part is kept as it was lowered; a door, which
Python calls, links all its parts, once each, and has them optimised once, together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from importlib import import_module
from threading import RLock
from typing import Any

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.runtime import nrt

_numba: Any = numba  # mypy knows too little of it
_Library: Any = JITCodeLibrary
_Compiler: Any = Compiler
_runtime: Any = nrt.rtsys
_fixing = RLock()


class Part:
    """A function as compiled code calls it. numba gets to see it when a caller is compiled, and no sooner.

    Attributes:
        signature: fixed types; ``None`` where they are those of each call.
        options: of ``numba.njit``.
    """

    def __init__(self, function: Callable[..., Any], signature: str | None, **options: Any) -> None:
        self.function = function
        self.signature = signature
        self.options = options

    @property
    def _numba_type_(self) -> Any:
        """numba asks what it does not know for its type."""
        return _numba.types.Dispatcher(self.dispatcher)

    @cached_property
    def dispatcher(self) -> Any:
        """What numba compiles: for the types of the arguments alone, where by default it does so for each constant."""
        made = _numba.njit(pipeline_class=_PartCompiler, no_cpython_wrapper=True, **self.options)(self.function)
        by_default = made.get_call_template

        def template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
            if self.signature is not None:
                _fix(made, self.signature)
            return by_default(tuple(map(_plain, args)), {name: _plain(kind) for name, kind in kws.items()})

        made.get_call_template = template
        return made


def door(part: Part) -> Any:
    """The function as Python calls it: machine code of its own, kept on disk; to compiled code it is the part."""
    made = _numba.njit(cache=True, pipeline_class=_DoorCompiler, **part.options)(part.function)
    made.get_call_template = lambda args, kws: part.dispatcher.get_call_template(args, kws)
    made.get_overload = lambda signature: part.dispatcher.get_overload(signature)
    _load_lightly(made._cache)
    if part.signature is not None:
        signature, by_default = part.signature, made._compile_for_args
        made.make_ready = lambda: _fix(made, signature)
        made._compile_for_args = lambda *args, **kws: (
            by_default(*args, **kws) if made.overloads else _fix(made, signature)
        )
    return made


def _plain(kind: Any) -> Any:
    """The type of a constant is that of its value, and short whole numbers go as long ones."""
    kind = _numba.types.unliteral(kind)
    return _numba.types.int64 if kind == _numba.types.int32 else kind


def _fix(dispatcher: Any, signature: str) -> Any:
    """Compile a function for these types, and then for no others; what to call."""
    with _fixing:
        if dispatcher._can_compile:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
    (made,) = dispatcher.overloads.values()
    return made.entry_point


class _PartLibrary(_Library):  # type: ignore[misc]
    """The code of a part, to be linked into that of its callers and never run on its own."""

    @property
    def codegen(self) -> Any:
        """Without machine code there is no environment to set."""
        return _NoMachineCode

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        """No function has an address."""
        return 0

    def finalize(self) -> None:
        """Close the part; what it calls is linked by whoever takes machine code."""
        self._raise_if_finalized()
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """The part with all that it calls, directly or not."""
        whole = self._alone().clone()
        for library in self._callees():
            part = isinstance(library, _PartLibrary)
            whole.link_in(library._alone() if part else library._get_module_for_linking(), preserve=True)
        return whole

    def _alone(self) -> Any:
        return super()._get_module_for_linking()

    def _callees(self) -> Iterator[Any]:
        """What the part calls, directly or not, once each."""
        seen, found = {self}, [self]
        while found:
            for library in found.pop()._linking_libraries:
                if library not in seen:
                    seen.add(library)
                    yield library
                    if isinstance(library, _PartLibrary):
                        found.append(library)


class _NoMachineCode:
    @staticmethod
    def set_env(name: str, env: Any) -> None:
        """Nothing to set."""


class _DoorCompiler(_Compiler):  # type: ignore[misc]
    """numba's compiler, without scipy."""

    def __init__(self, *given: Any) -> None:
        _load_without_scipy()
        super().__init__(*given)


class _PartCompiler(_DoorCompiler):
    """numba's compiler, up to the point where machine code would be made."""

    def _compile_bytecode(self) -> Any:
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return super()._compile_bytecode()


def _load_lightly(cache: Any) -> None:
    """Have machine code loaded from disk without what numba needs to compile, which takes longer than the loading."""

    def load_overload(signature: Any, context: Any) -> Any:
        _runtime.initialize(context)  # what the code itself needs
        with cache._guard_against_spurious_io_errors():
            return cache._load_overload(signature, context)

    cache.load_overload = load_overload


@lru_cache(maxsize=1)
def _load_without_scipy() -> None:
    """Load numba's array functions, all but scipy.

    They look for scipy's linear algebra as they are loaded, and again whenever a function that needs it is compiled.
    None of ours does.
    """
    linalg: Any = import_module("numba.np.linalg")
    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        arrays: Any = import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = look
    arrays.ensure_blas = look

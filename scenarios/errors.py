"""Every error that quotalab raises on purpose, and the shape of its message.

The tree::

    QuotalabError
    ├── InputRefused        what was given breaks one or more rules (all of them are listed)
    │   └── Unsupported     valid, but this engine or step cannot honour it yet
    ├── InfeasiblePlan      the request contradicts itself; says which rules conflict
    └── RunInterrupted      stopped by the user; says what was kept

An error names the offender, its value, the rule and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of an input.

    Attributes:
        where: file with line, or path inside the scenario (``reps.E1.leaves``).
        value: the offending value as the user wrote it; empty when something is missing.
        rule: what must hold.
        remedy: what to do about it.
    """

    where: str
    value: str
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        way_out = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.where}{shown}: {self.rule}{way_out}"


class QuotalabError(Exception):
    """Root of all errors raised on purpose."""


class InputRefused(QuotalabError):
    """One or more problems in what the user gave; ``problems`` holds them all."""

    headline = "refused"

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(dict.fromkeys(found))
        if not self.problems:
            raise ValueError("an InputRefused needs at least one problem")
        super().__init__(self.message())

    def message(self) -> str:
        """All problems, one a line."""
        count = len(self.problems)
        title = f"{self.headline}: {count} problem{'s' if count != 1 else ''}"
        return "\n".join([title, *(f"  {problem}" for problem in self.problems)])

    def __reduce__(self) -> tuple[type[InputRefused], tuple[Sequence[Problem]]]:
        return type(self), (list(self.problems),)


class Unsupported(InputRefused):
    """The scenario is valid, but asks for something that this engine or step does not do."""

    headline = "not supported here"


class InfeasiblePlan(QuotalabError):
    """No plan satisfies the request.

    Attributes:
        conflict: names of the rules that cannot hold together.
        loosening: for each rule that could give way, by how much and in which unit, in words.
        together: where no rule can alone: rules that have to give way together, each with its amount, in words.
        further: other sets of rules that cannot hold together either, each told as the conflict is.
        proven: whether there is no plan; else none was found, and the conflict names what the search ended on.
    """

    def __init__(
        self,
        conflict: Sequence[str],
        loosening: Sequence[str] = (),
        together: Sequence[str] = (),
        further: Sequence[Sequence[str]] = (),
        *,
        proven: bool = True,
    ) -> None:
        self.conflict = tuple(conflict)
        self.loosening = tuple(loosening)
        self.together = tuple(together)
        self.further = tuple(tuple(names) for names in further)
        self.proven = proven
        if not proven:
            said = "found no plan under these rules, and no proof that there is none"
            super().__init__("\n".join([said, *(f"  - {name}" for name in self.conflict)]))
            return
        lines = ["no feasible plan: these rules cannot hold together"]
        lines += [f"  - {name}" for name in self.conflict]
        for names in self.further:
            lines.append("nor can these, for a reason of their own:")
            lines += [f"  - {name}" for name in names]
        if self.loosening:
            lines.append("any one of these would make it feasible:")
            lines += [f"  - {text}" for text in self.loosening]
        elif len(self.together) != 1:
            lines.append("giving way in one of them alone is not enough: others conflict as well")
        if self.together:
            several = "all of these together" if len(self.together) > 1 else "this"
            lines.append(f"{f'or {several}' if self.loosening else several} would make it feasible:")
            lines += [f"  - {text}" for text in self.together]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[partial[InfeasiblePlan], tuple[Sequence[str] | Sequence[Sequence[str]], ...]]:
        made = partial(type(self), proven=self.proven)
        return made, (self.conflict, self.loosening, self.together, self.further)


class RunInterrupted(QuotalabError):
    """Stopped by the user; the message says what was kept and how to go on."""


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise :class:`InputRefused` when there is at least one problem."""
    found = list(problems)
    if found:
        raise InputRefused(found)

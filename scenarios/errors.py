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
    """One or more problems in what the user gave; ``problems`` holds them all.

    Attributes:
        language: ``en``, or ``zh`` where whoever caught it speaks Chinese to its reader.
    """

    headline = "refused"
    language = "en"

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


@dataclass(frozen=True)
class Said:
    """A sentence or a part of one in both languages."""

    english: str
    chinese: str

    def text(self, language: str) -> str:
        """In ``en`` or ``zh``."""
        return self.chinese if language == "zh" else self.english


_UNPROVEN = Said(
    "found no plan under these rules, and no proof that there is none",
    "在这些规则下未找到方案，也未能证明无可行方案",
)
_CONFLICT = Said("no feasible plan: these rules cannot hold together", "无可行方案：以下规则不能同时成立")
_FURTHER = Said("nor can these, for a reason of their own:", "以下规则另有原因，同样不能同时成立：")
_ALONE = Said("  by itself it would be settled by any one of these:", "  单就此项冲突，下列任一调整即可解决：")
_ANY = Said("any one of these would make it feasible:", "下列任一调整即可得到可行方案：")
_NOT_ENOUGH = Said(
    "giving way in one of them alone is not enough: others conflict as well", "只调整其中一项不够：其他规则也有冲突"
)
_TOGETHER = Said("all of these together would make it feasible:", "下列各项须同时调整，才有可行方案：")
_THIS = Said("this would make it feasible:", "作如下调整即可得到可行方案：")
_OR = Said("or ", "或者，")


class InfeasiblePlan(QuotalabError):
    """No plan satisfies the request. As text it is in its ``language``; :meth:`text` gives it in either.

    Attributes:
        language: ``en``, or ``zh`` where whoever caught it speaks Chinese to its reader.
        conflict: names of the rules that cannot hold together.
        loosening: for each rule that could give way, by how much and in which unit, in words.
        together: where no rule can alone: rules that have to give way together, each with its amount, in words.
        further: other sets of rules that cannot hold together either, each told as the conflict is.
        alone: where there are several conflicts: for each of them, the first included, what would settle that one by
            itself, in words.
        proven: whether there is no plan; else none was found, and the conflict names what the search ended on.
    """

    def __init__(
        self,
        conflict: Sequence[str | Said],
        loosening: Sequence[str | Said] = (),
        together: Sequence[str | Said] = (),
        further: Sequence[Sequence[str | Said]] = (),
        alone: Sequence[Sequence[str | Said]] = (),
        *,
        proven: bool = True,
    ) -> None:
        told = _both(conflict), _both(loosening), _both(together)
        several = tuple(map(_both, further)), tuple(map(_both, alone))
        self._told, self._several = told, several
        self.conflict, self.loosening, self.together = (_english(texts) for texts in told)
        self.further, self.alone = (tuple(map(_english, texts)) for texts in several)
        self.proven = proven
        self.language = "en"
        super().__init__(self.text("en"))

    def __str__(self) -> str:
        return self.text(self.language)

    def text(self, language: str) -> str:
        """The whole message in ``en`` or ``zh``."""
        (conflict, loosening, together), (further, alone) = self._told, self._several

        def listed(texts: Iterable[Said]) -> list[str]:
            return [f"  - {said.text(language)}" for said in texts]

        lines = [(_CONFLICT if self.proven else _UNPROVEN).text(language)]
        for place, names in enumerate((conflict, *further)):
            lines += ([_FURTHER.text(language)] if place else []) + listed(names)
            if place < len(alone) and alone[place]:
                lines += [_ALONE.text(language), *(f"  {line}" for line in listed(alone[place]))]
        if loosening:
            lines += [_ANY.text(language), *listed(loosening)]
        elif self.proven and len(together) != 1:
            lines.append(_NOT_ENOUGH.text(language))
        if together:
            several = (_TOGETHER if len(together) > 1 else _THIS).text(language)
            lines += [f"{_OR.text(language) if loosening else ''}{several}", *listed(together)]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[partial[InfeasiblePlan], tuple[object, ...]]:
        return partial(type(self), proven=self.proven), (*self._told, *self._several)


def _both(texts: Iterable[str | Said]) -> tuple[Said, ...]:
    return tuple(text if isinstance(text, Said) else Said(text, text) for text in texts)


def _english(texts: Iterable[Said]) -> tuple[str, ...]:
    return tuple(said.english for said in texts)


class RunInterrupted(QuotalabError):
    """Stopped by the user; the message says what was kept and how to go on."""


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise :class:`InputRefused` when there is at least one problem."""
    found = list(problems)
    if found:
        raise InputRefused(found)

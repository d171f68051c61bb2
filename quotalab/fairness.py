"""The fairness audit of any plan, from its simulated years to a text and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.fairness_audit import Among, FairnessAudit, GroupRow, audit_plan
from experiments.fairness_checks import Check
from experiments.fairness_people import PersonRow, Quarter
from experiments.money import Language
from experiments.runs import Progress, plan_of
from experiments.words import exceptions, known, listed, word
from optimize.audit import RuleRow
from optimize.response.estimate import estimate
from quotalab.learning import DEFAULT_YEARS, learning_years
from quotalab.runs import given_plan
from quotalab.tables import rule_rows_table
from quotalab.told_words import who
from scenarios.base import MINOR_PER_MAJOR
from scenarios.plan import Plan
from scenarios.scenario import Scenario, require_world
from sim.outcome import Outcome

_HEAD = (
    "{plan}: {people} people; Gini index of quota / potential {quota:.3f}, of attainment {attainment:.3f}; "
    "{envious:.0%} would have a better chance in another's place",
    "{plan}：{people} 人；指标潜力比的基尼系数 {quota:.3f}，达成率的基尼系数 {attainment:.3f}；"
    "{envious:.0%} 的人换到他人位置达标概率更高",
)
_VERDICT = {
    True: ("unequal beyond chance: see the lines marked [unfair]", "存在超出偶然的不均：见标有 [不公平] 的各行"),
    False: (
        "nothing is unequal beyond chance (all tests together wrong in at most {level:.0%} of fair plans)",
        "未发现超出偶然的不均（对公平方案，全部检验合计误报率不超过 {level:.0%}）",
    ),
}
_BROKEN = ("rules that the plan does not keep:", "未满足的规则：")
_GIVES_WAY = ("{line}, an exception: {why}", "{line}，例外：{why}")
_MARK = {"flagged": ("[unfair] ", "[不公平] "), "calm": ("         ", "         ")}
_CORRELATED = (
    "{measure} against {against}: rank correlation {correlation:+.2f}, highest quarter {gap:+.0%} on lowest{tested}",
    "{measure}与{against}：等级相关 {correlation:+.2f}，最高四分之一比最低四分之一 {gap:+.0%}{tested}",
)
_APART = (
    "{measure} by {against}: {gap:.0%} between the ends{tested}",
    "{measure}按{against}：两端相差 {gap:.0%}{tested}",
)
_TESTED = (", p = {p:.3f} for all tests together", "，全部检验合计 p = {p:.3f}")
_AMONG = (
    "{figure}: {value:.3f}; of feasible plans {low:.3f} to {high:.3f}, {worse:.0%} at least as unfair",
    "{figure}：{value:.3f}；可行方案 {low:.3f} 至 {high:.3f}，{worse:.0%} 不比它公平",
)


def fairness_audit(
    scenario: Scenario,
    plan: Plan | str | Path | None = None,
    *,
    replications: int = DEFAULT_YEARS,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    outcome: Outcome | None = None,
) -> FairnessAudit:
    """Whether a plan is fair, whoever made it: against territory, group and chance, and among feasible plans.

    Args:
        plan: the plan, a folder that holds one, or a CSV of people and quotas; default the scenario's own, else
            today's.
        replications: simulated years of the plan.
        seed: of the years and of the audit's own draws; default the scenario's.
        outcome: simulated years of this plan at hand; then nothing is simulated.

    Raises:
        InputRefused: no such plan, fewer than two people with a quota and a potential, or a fairness rule of the
            scenario has nothing to be measured against.
    """
    require_world(scenario)
    if isinstance(plan, str | Path):
        plan = given_plan(Path(plan), scenario)
    judged = plan_of(scenario) if plan is None else plan
    base = scenario.with_plan(judged)
    years = outcome or learning_years(base, replications=replications, seed=seed, workers=workers, progress=progress)
    return audit_plan(base, judged, estimate(base, years), seed=seed)


def audit_text(found: FairnessAudit, language: Language) -> str:
    """What the audit says, for a terminal."""
    zh = language == "zh"
    lines = [
        _HEAD[zh].format(
            plan=known("plan", found.plan, language),
            people=len(found.people),
            quota=found.gini_quota,
            attainment=found.gini_attainment,
            envious=found.envious,
        ),
        _VERDICT[found.flagged][zh].format(level=found.level),
    ]
    lines += [_check_line(check, language) for check in found.checks]
    for row in found.feasible:
        mark = _MARK["flagged" if row.outlier else "calm"][zh]
        lines.append(mark + _AMONG[zh].format(**asdict(row) | {"figure": word(f"fair.{row.figure}", language)}))
    lines += _broken_lines(found.rules, language)
    for note in found.notes:
        lines.append(known("fair_note", note, language))
    return "\n".join(lines)


def _broken_lines(rules: Sequence[RuleRow], language: Language) -> Iterator[str]:
    """Rules that do not hold, each with whom it is broken for and the locks, by their authors, that it gives way to."""
    zh = language == "zh"
    broken: dict[tuple[str, str], list[str]] = {}
    for row in rules:
        if not row.kept:
            broken.setdefault((row.rule, row.exception), []).append(row.subject)
    if broken:
        yield _BROKEN[zh]
    for (rule, exception), subjects in sorted(broken.items()):
        line = ("{rule}（{who}）" if zh else "{rule} ({who})").format(
            rule=word(f"rule.{rule}", language),
            who=listed([who(one, language) for one in subjects], language),
        )
        yield "  " + (_GIVES_WAY[zh].format(line=line, why=exceptions(exception, language)) if exception else line)


def _check_line(check: Check, language: Language) -> str:
    zh = language == "zh"
    tested = "" if check.p_adjusted is None else _TESTED[zh].format(p=check.p_adjusted)
    form = _APART if check.correlation is None else _CORRELATED
    names = {"measure": word(f"fair.{check.measure}", language), "against": word(f"fair.{check.against}", language)}
    mark = _MARK["flagged" if check.flagged else "calm"][zh]
    return mark + form[zh].format(gap=round(check.gap, 2) + 0.0, correlation=check.correlation, tested=tested, **names)


def audit_tables(found: FairnessAudit, currency: str) -> dict[str, pd.DataFrame]:
    """Tables by name: ``people``, ``checks``, ``groups``, ``quarters``, ``feasible``, ``rules``; currency units."""
    return {
        "people": _table(PersonRow, found.people, "quota", "potential", "expected"),
        "checks": _table(Check, found.checks),
        "groups": _table(GroupRow, found.groups, "quota"),
        "quarters": _table(Quarter, found.quarters, "potential"),
        "feasible": _table(Among, found.feasible),
        "rules": rule_rows_table(found.rules, currency),
    }


def _table(kind: Any, rows: Sequence[Any], *money: str) -> pd.DataFrame:
    table = pd.DataFrame([asdict(row) for row in rows], columns=[column.name for column in fields(kind)])
    for column in money:
        table[column] = table[column] / MINOR_PER_MAJOR
    return table

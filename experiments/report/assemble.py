"""From simulated evidence to the figures of a report; nothing is simulated here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import numpy as np

from experiments.bounds import bounds_of
from experiments.decompose import Decomposition
from experiments.measures import PlanMeasures, widest_gap
from experiments.pairs import Difference
from experiments.report.details import Assumption, AuditRow, PlanRow, Promise, WhatIf
from experiments.report.evidence import PLAN, TODAY, Evidence
from experiments.report.input import Gain, GainColumn, Headline, HowSure, ReportInput, Strip, Trade
from experiments.report.loop import loop_page
from experiments.report.people_rows import company_range, handed, moves, rep_rows
from experiments.runs import world_key
from experiments.trade import trade_table
from experiments.uncertainty import GainRange, YearRange, as_share
from experiments.whatif import WhatIf as PricedWhatIf
from history.diagnosis.care import care_by_owner
from history.diagnosis.stages import early_share
from optimize.audit import RuleRow
from optimize.fairness_measures import Unit
from scenarios.base import MINOR_PER_MAJOR
from scenarios.goals import MinimumChance, Workload
from scenarios.scenario import Scenario
from scenarios.today import care_planned
from sim.statistics import mean_interval

_VERSION_DIGITS = 8
ROUND = re.compile(r"closed loop, round \d")
"""Notes on single rounds: the table of rounds tells them."""
_SAME_SHARE = 5e-4
_CARE_HOURS_TOLD = 1.0
UNITS: Mapping[Unit, str] = {
    "minor": "money",
    "currency": "money",
    "x company ratio": "ratio",
    "quota/potential": "ratio",
    "Gini": "ratio",
    "growth": "share",
    "share of quota": "share",
    "chance": "share",
    "share of hours": "share",
    "share of leads": "share",
    "hours": "hours",
    "hours a year": "hours",
    "accounts": "count",
}


def assemble(found: Evidence) -> ReportInput:
    """Everything that the pages show, from what was simulated and solved.

    Raises:
        InputRefused: figures that must tie do not.
    """
    scenario, result, rows, moved = found.scenario, found.allocation, rep_rows(found), moves(found)
    workload, chance = scenario.allocation.enabled(Workload), scenario.allocation.enabled(MinimumChance)
    at_risk = sum(move.sales_at_risk for move in moved)
    hours = sum(Fraction(str(amount)) for amount in result.plan.training_hours().values())
    return ReportInput(
        strip=_strip(found),
        today=_headline(found.comparison[TODAY], _gap(found, TODAY), 0, None),
        plan=_headline(found.comparison[PLAN], _gap(found, PLAN), at_risk, found.uncertainty),
        how_sure=_how_sure(found),
        gain=_gain(found),
        reps=rows,
        trades=_trades(found),
        plans=_plans(found),
        promise=_promise(found),
        over_assignment=scenario.allocation.over_assignment,
        quota_basis=scenario.allocation.quota_basis,
        quotas_move_sales=scenario.motivation is not None,
        accounts=len(scenario.accounts),
        training_cost=round(hours * scenario.skills.training.cost_per_hour),
        moves=moved,
        handed=handed(found),
        care=care_by_owner(scenario, found.plans[PLAN], found.outcomes[PLAN]),
        care_changes=_care_changes(found),
        early_share=early_share(found.outcomes[PLAN]),
        workload_limit=None if workload is None else workload.maximum,
        chance_floor=None if chance is None else chance.chance,
        findings=tuple(found.findings),
        what_ifs=tuple(_what_if(case, scenario) for case in found.what_ifs),
        audit=tuple(_audit_row(row) for row in result.rule_rows),
        fairness=found.fairness,
        assumptions=_assumptions(scenario),
        notes=result.notes if found.loop is None else tuple(text for text in result.notes if not ROUND.match(text)),
        manifest=(*found.manifest.items(), *_hashes(found)),
        loop=None if found.loop is None else loop_page(found.loop),
    )


def _strip(found: Evidence) -> Strip:
    scenario = found.scenario
    return Strip(
        company=scenario.name,
        first_day=scenario.calendar.start,
        last_day=scenario.calendar.end - timedelta(days=1),
        currency=scenario.currency,
        vat_included=scenario.vat_included,
        data_date=scenario.data_date,
        invented=scenario.invented,
        plan_name=found.label,
        plan_version=found.allocation.plan.decisions_hash()[:_VERSION_DIGITS],
        target=found.comparison[PLAN].target,
        basis=scenario.money_basis,
    )


def _headline(
    case: PlanMeasures, gap: float | None, at_risk: int, uncertainty: tuple[GainRange, YearRange] | None
) -> Headline:
    """The year range holds parameter error where it was assessed."""
    low, high = company_range(case) if uncertainty is None else uncertainty[1].both
    return Headline(
        expected=case.expected_sales,
        low=low,
        high=high,
        target_chance=case.chance_of_target,
        hit_rate=case.hit_rate,
        attainment=case.attainment,
        widest_gap=gap,
        sales_at_risk=at_risk,
    )


def _gap(found: Evidence, plan: str) -> float | None:
    """Widest distance of a quota/potential from the company's, over the potentials under the plan's own owners."""
    return widest_gap(found.plans[plan].quotas("revenue"), found.potentials[plan])[0]


def _care_changes(found: Evidence) -> int:
    """Accounts whose care hours the plan sets otherwise than today, by an hour a year or more."""
    planned = care_planned(found.scenario)
    before, after = (planned | found.plans[name].care_hours() for name in (TODAY, PLAN))
    return sum(abs(after[account] - before[account]) >= _CARE_HOURS_TOLD for account in planned)


def _how_sure(found: Evidence) -> HowSure:
    case = found.comparison[PLAN]
    known = HowSure(company_range(case), None, None, found.back_cast, case.replications)
    if found.uncertainty is None:
        return known
    gain, years = found.uncertainty
    rule, plan = (world_key(found.scenario, found.plans[name]) for name in (found.best_rule, PLAN))
    return replace(
        known,
        parameters=years.parameters,
        chance_ahead=gain.chance_ahead,
        error_cost=as_share(years.shift, years.mean.estimate),
        gain_left=None if plan == rule else gain.under_errors,
        error_sources=years.sources,
    )


def _gain(found: Evidence) -> Gain:
    compared = found.comparison if found.loop is None else found.loop.proof.comparison
    return Gain(
        against_rule=_column(found.best_rule, found.over_rule),
        against_today=_column(TODAY, found.over_today),
        rule_over_today=compared.difference(found.best_rule, "sales", TODAY).interval,
    )


def _column(reference: str, parts: Decomposition) -> GainColumn:
    moving = (step for step in parts.steps if step.part != "quotas" or step.sales.word != "equal")
    steps = tuple((step.part, step.sales.interval) for step in moving)
    return GainColumn(reference, steps, parts.total.sales.interval)


def _plans(found: Evidence) -> tuple[PlanRow, ...]:
    """All plans; a difference that the first page shows has the same interval and word here."""
    references = ((TODAY, found.over_today), (found.best_rule, found.over_rule))
    front = {world_key(found.scenario, found.plans[name]): over.total.sales for name, over in references}
    rows = []
    for case in found.comparison.cases:
        capped, chance, hit_rate = case.capped_attainment, case.chance_of_target, case.hit_rate
        own = case.name == PLAN
        told = front.get(world_key(found.scenario, found.plans[case.name]))
        gain = None if own else told or _over(found, case.name)
        rows.append(
            PlanRow(
                kind=case.name,
                name=found.label if own else "",
                expected=case.expected_sales,
                hit_rate=None if hit_rate is None else hit_rate.estimate,
                target_chance=None if chance is None else chance.estimate,
                capped_attainment=None if capped is None else capped.estimate,
                widest_gap=_gap(found, case.name),
                gain=None if gain is None else gain.interval,
                within_rules=case.name not in found.rule_breakers,
            )
        )
    return tuple(rows)


def _over(found: Evidence, rival: str) -> Difference:
    if found.loop is not None:
        return found.loop.proof.gain("sales", rival)
    return found.comparison.difference(PLAN, "sales", rival)


def _trades(found: Evidence) -> tuple[Trade, ...]:
    """The usual quota sums, and the plan's own if it is none of them."""
    if found.trade is None:
        return ()
    plan = found.plans[PLAN]
    own = sum(plan.quotas("revenue").values()) / found.trade.target
    rows = list(found.trade.rows)
    if all(abs(row.share - own) >= _SAME_SHARE for row in rows):
        rows += trade_table(found.scenario, plan, found.outcomes[PLAN], shares=(own,)).rows
    return tuple(
        Trade(
            share=row.share,
            quota_sum=row.quota_sum,
            hit_rate=row.hit_rate.estimate,
            target_chance=row.chance_of_target.estimate,
            sum_chance=row.chance_of_quota_sum.estimate,
            is_plan=abs(row.share - own) < _SAME_SHARE,
        )
        for row in sorted(rows, key=lambda row: row.share)
    )


def _promise(found: Evidence) -> Promise:
    """Model value against the simulated value of the same plan, over the reps who carry a quota."""
    case, result = found.comparison[PLAN], found.allocation
    capped = case.years.capped if case.years.capped is not None else np.zeros(case.replications)
    simulated = mean_interval(capped * (case.quota_sum or 0))
    bounds = (
        found.loop.proof.bounds if found.loop else bounds_of(found.scenario, found.plans[PLAN], found.outcomes[PLAN])
    )
    return Promise(result.model_value, simulated, result.gap, result.status, bounds)


def _audit_row(row: RuleRow) -> AuditRow:
    """A rule as it came out in the programme, chances included: what is simulated stands beside no verdict of it."""
    size = MINOR_PER_MAJOR if row.unit == "currency" else 1
    return AuditRow(
        rule=row.rule,
        subject=row.subject,
        limit=row.limit * size,
        actual=row.actual * size,
        unit=UNITS[row.unit],
        binding=row.binding,
        kept=row.kept,
        loosening=row.value_of_loosening,
        exception=row.exception,
    )


def _what_if(case: PricedWhatIf, scenario: Scenario) -> WhatIf:
    known = {rep.id for rep in scenario.reps}
    whose = tuple((rep, case.hours_by_rep[rep]) for rep in case.whose if rep in known)
    return WhatIf(
        name=case.name,
        sales=case.sales,
        costs=tuple((item.what, item.minor) for item in case.costs),
        cost_per_year=case.cost_per_year,
        start=case.start,
        ramp=case.ramp,
        sales_next_year=case.sales_next_year,
        payback_months=case.payback_months,
        margin_known=case.margin is not None,
        hours=sum(hours for rep, hours in case.hours_by_rep.items() if rep in known),
        whose=whose,
    )


def _assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    return tuple(
        Assumption(item.path, item.value, item.source, item.trust, item.note)
        for item in scenario.provenance
        if item.grade == "assumed"
    )


def _hashes(found: Evidence) -> tuple[tuple[str, str], ...]:
    return (
        ("scenario", found.scenario.fingerprint()),
        ("plan", found.allocation.plan.decisions_hash()),
        ("comparison", found.comparison.content_hash()),
        ("seed", str(found.comparison.seed)),
        ("simulated years", str(found.comparison.replications)),
        ("streams", str(found.outcomes[PLAN].stream_version)),
    )

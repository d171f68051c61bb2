"""The closed loop's pages: every round, the proof against every rule, and the stress test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from experiments.loop_words import loop_phrase, loop_step
from experiments.money import Language, headline_scale, plain
from experiments.proof import Proof
from experiments.proof_text import proof_lines
from experiments.regret import StressTest
from experiments.regret_text import regret_text
from experiments.report.details import KEY
from experiments.words import word
from optimize.loop.trace import LoopResult, Round

if TYPE_CHECKING:
    from experiments.report.wording import Wording

View = dict[str, Any]
OTHER_SUM = "quotas at the target "
"""How the loop calls a step to another sum of quotas."""


@dataclass(frozen=True)
class LoopEvidence:
    """What the closed loop did, and what fresh years say about it.

    Attributes:
        proof: its plan is called ``loop``.
        stress: ``None`` where it was not asked for.
        robust: draws of the parameters over which the loop maximised the mean; 0 where it took them as given.
    """

    found: LoopResult
    proof: Proof
    stress: StressTest | None = None
    robust: int = 0


@dataclass(frozen=True)
class RoundRow:
    """A start or a round of the loop; the objective in minor units or as a share.

    Attributes:
        number: 0 for a start.
        step, reason: phrases of the loop.
        hours, moves, care, leads: how far the step was allowed to go, leads in percentage points of a source's;
            ``None`` where it was free or that is not decided, or a start.
        runs: plans simulated so far.
        seconds: since the loop began.
    """

    number: int
    step: str = field(metadata=KEY)
    promised: float | None
    simulated: float | None
    change: float | None
    t: float | None
    kept: bool
    reason: str = field(metadata=KEY)
    hours: float | None
    moves: int | None
    responses: str = field(metadata=KEY)
    error: float | None
    runs: int
    seconds: float
    care: float | None = None
    leads: float | None = None


@dataclass(frozen=True)
class LoopPage:
    """The same as plain figures and texts.

    Attributes:
        sales: whether the objective is money.
        recommended: by the proof: ``loop``, ``today`` or a simple rule.
        proof, stress: lines in English and in Chinese.
        over: how far above the target quotas should sum, where people respond to them; likewise.
    """

    rounds: tuple[RoundRow, ...]
    sales: bool
    stopped: str = field(metadata=KEY)
    recommended: str = field(metadata=KEY)
    proof: tuple[tuple[str, ...], tuple[str, ...]]
    stress: tuple[tuple[str, ...], tuple[str, ...]]
    robust: int = 0
    over: tuple[str, str] = ("", "")


def loop_page(given: LoopEvidence) -> LoopPage:
    """From what was found to what a page shows."""
    stress = given.stress
    tested = [() if stress is None else tuple(regret_text(stress, language).splitlines()) for language in ("en", "zh")]
    return LoopPage(
        rounds=tuple(_row(row, given.found) for row in given.found.trace),
        sales=given.found.objective == "sales",
        stopped=given.found.stopped,
        recommended=given.proof.recommended,
        proof=(tuple(proof_lines(given.proof, "en")), tuple(proof_lines(given.proof, "zh"))),
        stress=(tested[0], tested[1]),
        robust=given.robust,
        over=(over_text(given.found, "en"), over_text(given.found, "zh")),
    )


def over_text(found: LoopResult, language: Language) -> str:
    """Which sum of quotas is recommended where people respond to them, with the sales of all that were tried."""
    rows = [row for row in found.trace if row.step.startswith(OTHER_SUM) and row.simulated is not None]
    if not rows:
        return ""
    asked = [row for row in found.trace if row.accepted and row not in rows][-1]
    scale = headline_scale(round(asked.simulated or 0), language, "")
    scale = replace(scale, decimals=scale.decimals + 1)
    tried = [word("loop.over_asked", language, sales=scale.text(asked.simulated or 0.0))]
    for row in rows:
        sales = scale.text(row.simulated or 0.0)
        t, other = plain(row.t or 0.0, 1, signed=True), row.step.removeprefix(OTHER_SUM)
        tried.append(word("loop.over_tried", language, over=other, sales=sales, t=t))
    over = f"{plain(100 * found.over_assignment, 0, signed=True)}%"
    return word("loop.over", language, over=over, tried=("、" if language == "zh" else ", ").join(tried))


def loop_view(page: LoopPage | None, say: Wording) -> View | None:
    """The page as texts; ``None`` where the plan was made in one pass."""
    if page is None:
        return None
    at = int(say.language == "zh")
    return {
        "note": say.t("loop.note_sales" if page.sales else "loop.note_share"),
        "robust": say.t("proof.robust", draws=page.robust) if page.robust else "",
        "rounds": [_round(row, page.sales, say) for row in page.rounds],
        "over": page.over[at],
        "stopped": say.t("loop.stopped", why=loop_phrase(page.stopped, say.language)),
        "proof": [_indent(line) for line in page.proof[at]],
        "stress": [_indent(line) for line in page.stress[at]],
    }


def _row(row: Round, found: LoopResult) -> RoundRow:
    region, decided = row.region, found.responses
    cared = region is not None and decided.accounts.care_budget is not None and region.care < float("inf")
    shared = region is not None and bool(decided.leads) and region.leads < float("inf")
    return RoundRow(
        number=row.number,
        step=row.step,
        promised=row.promise,
        simulated=row.simulated,
        change=row.gain,
        t=row.t,
        kept=row.accepted,
        reason=row.reason,
        hours=None if region is None or region.hours == float("inf") else float(region.hours),
        moves=None if region is None else region.moves,
        responses=row.responses,
        error=row.response_error,
        runs=row.runs,
        seconds=row.seconds,
        care=float(region.care) if region is not None and cared else None,
        leads=float(region.points) if region is not None and shared else None,
    )


def _round(row: RoundRow, sales: bool, say: Wording) -> View:
    def shown(value: float | None, signed: bool = False) -> str:
        if value is None:
            return say.t("page.not_known")
        return say.small(value, signed=signed) if sales else f"{plain(100 * value, 2, signed=signed)}%"

    free = say.t("page.not_known")
    limits = [say.t("loop.region", moves=row.moves, hours=free if row.hours is None else say.hours(row.hours))]
    if row.care is not None:
        limits.append(say.t("loop.region_care", hours=plain(row.care, 1)))
    if row.leads is not None:
        limits.append(say.t("loop.region_leads", points=plain(row.leads, 1)))
    between = say.t("page.comma")
    method = "" if row.error is None else say.t("loop.error", error=say.percent(row.error))
    return {
        "number": str(row.number) if row.number else say.t("loop.start"),
        "step": loop_step(row.step, say.language),
        "promised": shown(row.promised),
        "simulated": shown(row.simulated),
        "change": shown(row.change, signed=True),
        "t": plain(row.t or 0.0, 1, signed=True),
        "kept": row.kept,
        "reason": loop_phrase(row.reason, say.language),
        "region": free if row.moves is None else between.join(limits),
        "responses": f"{say.known('loop', row.responses)}{method}" if row.responses else free,
        "runs": row.runs,
        "seconds": plain(row.seconds, 0),
    }


def _indent(line: str) -> View:
    return {"text": line.strip(), "level": (len(line) - len(line.lstrip())) // 2}

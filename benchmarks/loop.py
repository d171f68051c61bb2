"""The closed loop: what it gains on the fixed worlds, what its promises are worth, what it costs, where its time goes.

The worlds' results are kept under ``runs/loop_worlds`` and only what is missing there is run.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.crn import COMPARED, middle
from benchmarks.loop_results import POSSIBLE, QUICK, Sizes, WorldResult
from benchmarks.loop_worlds import FOLDER, run_samples, run_worlds
from benchmarks.registry import Figure, benchmark
from scenarios.acceptance_worlds import WORLDS
from sim.interval import Interval

FIGURES: Final = {
    "share_not_worse": "share",
    "share_not_worse_attainment": "share",
    "share_proven_better": "share",
    "share_proven_better_formulas": "share",
    "optimism_gap": "share",
    "optimism_gap_worst": "share",
    "optimism_gap_one_shot": "share",
    "gain_sales": "share",
    "gain_attainment": "share",
    "gain_over_one_pass": "share",
    "half_width": "share",
    "quota_bound": "share",
    "programme_bound": "share",
    "rounds_max": "rounds",
    "runs_max": "runs",
    "response_runs_max": "runs",
    "after_two_solves": "share",
    "falls_or_repeats": "rounds",
    "sample_loss": "share",
    "crn_variance_ratio_quota": "ratio",
    "crn_variance_ratio_training": "ratio",
    "crn_variance_ratio_accounts": "ratio",
    "engine_solver_share": "share",
}
"""Figure and unit."""

SEPARABLE: Final = tuple(row for row in WORLDS if row.pool == "own")
CRN_WORLDS: Final = (SEPARABLE[1], SEPARABLE[3], SEPARABLE[5], SEPARABLE[7])
"""Separable worlds of wide skills: in the others there is next to nothing to train or to move."""

SAMPLED: Final = (WORLDS[3], WORLDS[15])
"""Worlds in which the loop runs on many years too."""

CRN_YEARS: Final = 600
NATIONAL_YEARS: Final = 200
INSIDE: Final = ("sim/compiled/run.py:replicate", "highspy._core.run}", "highspy._core.run>")
"""Where the engine and the solver are at work."""
_COMPILED = ("care_curves", "caring", "kernels", "moves", "quota_room", "recreate")
PRICES: Final = tuple(f"optimize/by_prices/{module}.py" for module in _COMPILED)
"""The compiled part of the method by prices, which solves for large companies."""
BY_PRICES: Final = "optimize/by_prices/method.py:priced_or_bound"
"""All of it."""
COMPILING: Final = "numba/core/dispatcher.py:_compile_for_args"
"""Compiling or loading, once for a machine; no part of the loop."""


@benchmark("loop")
def loop(quick: bool) -> Iterator[Figure]:
    """All figures of the closed loop."""
    if quick:
        with TemporaryDirectory() as folder:
            yield from summed(list(run_worlds(WORLDS[:1], QUICK, Path(folder))))
            yield sampled(list(run_samples(WORLDS[:1], QUICK, Path(folder))), QUICK)
    else:
        yield from summed(list(run_worlds(WORLDS, Sizes(), FOLDER)))
        yield sampled(list(run_samples(SAMPLED, Sizes(), FOLDER)), Sizes())
    yield from crn(quick=quick)
    yield profile(quick=quick)


def summed(worlds: Sequence[WorldResult]) -> Iterator[Figure]:
    """The figures over worlds."""
    formulas = [world.gains["formulas"] for world in worlds]
    everything = [world.gains["all"] for world in worlds]
    for name, objective in (("share_not_worse", "sales"), ("share_not_worse_attainment", "capped")):
        against = [(world.name, world.gains["all"][objective]) for world in worlds]
        worse = [f"{at} {gain.estimate:+.2%}" for at, gain in against if not gain.not_worse]
        told = f"{len(worlds)} worlds, {objective} against the best of all rules, one-pass programmes among them"
        yield _share(name, fmean(gain.not_worse for _, gain in against), "; ".join([told, *worse]))
    yield _proven("share_proven_better", "all", "all rules, one-pass programmes among them", worlds)
    yield _proven("share_proven_better_formulas", "formulas", "all rules that take no solver", worlds)
    gaps, raw = [world.promised for world in worlds], [world.promised_raw for world in worlds]
    luck = f"mean; with the luck of the learning years {fmean(raw):+.2%}, worst {max(map(abs, raw)):.2%}"
    yield _share("optimism_gap", fmean(gaps), luck)
    yield _share("optimism_gap_worst", max(map(abs, gaps)), "largest of any world, either sign")
    once = [world.promised_once for world in worlds]
    yield _share("optimism_gap_one_shot", fmean(once), f"the plan of a single pass; worst {max(map(abs, once)):.2%}")
    for name, objective in (("gain_sales", "sales"), ("gain_attainment", "capped")):
        gains = [rows[objective].estimate for rows in formulas]
        yield _share(name, fmean(gains), f"over the best formula; {min(gains):+.2%} to {max(gains):+.2%}")
    over = [rows["sales"].estimate for rows in everything]
    yield _share(
        "gain_over_one_pass", fmean(over), f"sales over the best of all rules; {min(over):+.2%} to {max(over):+.2%}"
    )
    widths = [gain.half_width for rows in everything for gain in rows.values()]
    yield _share("half_width", max(widths), "widest of any gain, of the quota total")
    yield _bound("quota_bound", [world.quota_bound for world in worlds], "of the quota total, owners and training held")
    told = "of expected sales, within the programme fitted around the plan"
    yield _bound("programme_bound", [world.programme_bound for world in worlds], told)
    yield Figure("loop", "rounds_max", max(world.rounds for world in worlds), "rounds")
    yield Figure(
        "loop", "runs_max", max(world.runs for world in worlds), "runs", "simulations in full, starts included"
    )
    yield Figure("loop", "response_runs_max", max(world.response_runs for world in worlds), "runs", "for differences")
    yield _share("after_two_solves", min(world.after_two for world in worlds), "smallest share of a world's gain")
    restless = sum(world.falls + world.repeats for world in worlds)
    yield Figure("loop", "falls_or_repeats", restless, "rounds", "accepted rounds that fell or came back")


def _proven(figure: str, rivals: str, words: str, worlds: Sequence[WorldResult]) -> Figure:
    """Share of the worlds in which a gain is possible where it is proven; None where it is possible in none."""
    possible = [world for world in worlds if world.possible(rivals)]
    whole = fmean(world.proven(rivals) for world in worlds)
    missed = "".join(f"; not in {world.name}" for world in possible if not world.proven(rivals))
    note = (
        f"sales or attainment against the best of {words}, in the {len(possible)} of {len(worlds)} worlds in which the "
        f"best plan known gains {POSSIBLE:.0%} over it{missed}; in {whole:.0%} of all worlds"
    )
    return _share(figure, fmean(world.proven(rivals) for world in possible) if possible else None, note)


def _bound(figure: str, found: Sequence[float | None], words: str) -> Figure:
    """Mean of a bound over the worlds that have one (Mak, Morton and Wood 1999)."""
    known = [one for one in found if one is not None]
    note = f"at most so far below the best, {words}; mean of {len(known)} worlds"
    return _share(figure, fmean(known) if known else None, note + (f", worst {max(known):.2%}" if known else ""))


def sampled(losses: Sequence[Interval], sizes: Sizes) -> Figure:
    """What the default sample loses against many years."""
    ends = ", ".join(f"{loss.estimate:+.2%} [{loss.low:+.2%}, {loss.high:+.2%}]" for loss in losses)
    note = f"sales of the plan from {sizes.many} years above those of the plan from {sizes.learn}; {ends}"
    return _share("sample_loss", fmean(loss.estimate for loss in losses), note)


def crn(*, quick: bool) -> Iterator[Figure]:
    """Variance saved by common random numbers on separable worlds."""
    rows, years = (CRN_WORLDS[-1:], 60) if quick else (CRN_WORLDS, CRN_YEARS)
    for name, (median, low, high, count) in middle(rows, years).items():
        case, against, measure = COMPARED[name]
        note = f"{measure}, {case} against {against}; median of {count} separable worlds, {low:.3g} to {high:.3g}"
        yield Figure("loop", f"crn_variance_ratio_{name}", median, "ratio", note)


def profile(*, quick: bool) -> Figure:
    """Share of the loop's time in the compiled engine and the solver, on a company of 200 reps and 5,000 accounts."""
    from optimize.loop.improve import improve
    from scenarios.files import load
    from sim.run import simulate

    world, years = (load("starter"), 8) if quick else (load("national"), NATIONAL_YEARS)
    # The engine is compiled, and loaded, before the time is taken.
    simulate(world, replications=1)
    watch = cProfile.Profile()
    watch.enable()
    found = improve(world, replications=years)
    watch.disable()
    stats = pstats.Stats(watch)
    compiling = _seconds(stats, COMPILING)
    whole = stats.total_tt - compiling  # type: ignore[attr-defined]
    strict, prices = at_work(stats), max(_seconds(stats, BY_PRICES) - compiling, 0.0)
    outside = strict - _compiled(stats) + prices
    note = (
        f"{whole:.0f} s as profiled, {found.rounds} rounds, {found.cost.runs_in_all:g} runs of {years} years; "
        f"{world.name}; {found.stopped}; of the method by prices only what is compiled counts: with all of it, "
        f"{prices / whole:.0%} of the time, the share is {outside / whole:.3f}; {compiling:.0f} s of compiling left out"
    )
    return Figure("loop", "engine_solver_share", strict / whole, "share", note)


def at_work(stats: pstats.Stats) -> float:
    """Seconds inside one replication of the compiled engine and inside the solver; the profile slows neither down."""
    return sum(_seconds(stats, place) for place in INSIDE) + _compiled(stats)


def _compiled(stats: pstats.Stats) -> float:
    """Seconds inside the compiled part of the method by prices."""
    return float(sum(row[2] for (path, _, name), row in _all(stats) if path.endswith(PRICES) and name != "<module>"))


def _seconds(stats: pstats.Stats, place: str) -> float:
    """Seconds in functions and what they call, by the end of "path:name"."""
    return float(sum(row[3] for row in _rows(stats, (place,)).values()))


_Place = tuple[str, int, str]
_Times = tuple[int, int, float, float, dict[Any, Any]]
"""Calls, calls that are not recursive, seconds of its own, seconds in all, callers."""


def _all(stats: pstats.Stats) -> Iterable[tuple[_Place, _Times]]:
    rows: dict[_Place, _Times] = stats.stats  # type: ignore[attr-defined]
    return rows.items()


def _rows(stats: pstats.Stats, ends: tuple[str, ...]) -> dict[_Place, _Times]:
    """Rows of functions, by the ends of "path:name"."""
    return {place: row for place, row in _all(stats) if f"{place[0]}:{place[2]}".endswith(ends)}


def _share(figure: str, value: float | None, note: str) -> Figure:
    return Figure("loop", figure, value, FIGURES[figure], note)

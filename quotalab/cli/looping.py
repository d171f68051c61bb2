"""allocate --loop: the closed loop behind the same verb, its tables and facts, and what is kept while it runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.errors import Problem, RunInterrupted, refuse_if

if TYPE_CHECKING:
    import pandas as pd

    from experiments.proof import Proof
    from optimize.loop.trace import Round
    from quotalab.cli.terminal import Terminal
    from quotalab.improving import Improvement
    from scenarios.plan import Plan
    from scenarios.scenario import Scenario


def refuse_without_loop(
    robust: bool, judge: int | None = None, draws: int | None = None, stress_years: int | None = None
) -> None:
    """Refuse settings of the loop where there is none.

    Raises:
        InputRefused: naming each.
    """
    numbers = {"--judge": judge, "--draws": draws, "--stress-years": stress_years}
    given = {"--robust": "" if robust else None}
    given |= {name: None if value is None else str(value) for name, value in numbers.items()}
    rule, remedy = "is a setting of the closed loop", "write --loop as well"
    refuse_if(Problem(name, value, rule, remedy) for name, value in given.items() if value is not None)


def refuse_with_loop(method: str | None, gap: float | None, solver: str | None) -> None:
    """Refuse settings of a single pass where there is a loop, which solves in steps of its own.

    Raises:
        InputRefused: naming each.
    """
    given = {"--method": method, "--gap": None if gap is None else f"{gap:g}", "--solver": solver}
    rule, remedy = "is a setting of a plan made in one pass", "leave out it or --loop"
    refuse_if(Problem(name, value, rule, remedy) for name, value in given.items() if value is not None)


def looped(
    terminal: Terminal, world: Scenario, target: Path, sizes: dict[str, int | None], **settings: Any
) -> Improvement:
    """Run the loop, its proof and the stress test; the best plan so far stands beside the target while it runs.

    Args:
        sizes: by name of the argument; ``None`` stands for the default.
    """
    from quotalab.improving import improve

    kept = KeptSoFar(target, world)
    settings |= {name: size for name, size in sizes.items() if size is not None}
    return improve(world, show=terminal.progress, on_round=kept, **settings)


def tell_interruption(found: Improvement, target: Path) -> None:
    """End a run that the user stopped as such, now that all of it is written.

    Raises:
        RunInterrupted: saying what was kept.
    """
    if not found.interrupted:
        return
    if found.proof is not None:
        raise RunInterrupted(f"stopped in the stress test; the plan is in {target}, and it is proved")
    where = "in the loop" if found.loop.interrupted else "in its proof"
    onward = f"go on from it with --plan {target} --output another folder"
    raise RunInterrupted(f"stopped {where}; the best plan so far is in {target}, and it is not proved: {onward}")


class KeptSoFar:
    """Writes the best plan so far and the rounds that led to it, so that a run that is killed loses neither."""

    def __init__(self, target: Path, world: Scenario) -> None:
        self.folder = so_far(target)
        self._world = world
        self._rounds: list[Round] = []

    def __call__(self, row: Round, plan: Plan) -> None:
        """After each round."""
        from optimize.formulate import sales_alone
        from quotalab.loop_text import round_table
        from scenarios.folders import whole_folder
        from scenarios.plan_files import write_plan

        self._rounds.append(row)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(self.folder) as draft:
            write_plan(plan, draft / "plan", self._world.currency)
            table = round_table(self._rounds, sales_alone(self._world), self._world.currency)
            table.to_csv(draft / "trace.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")

    def tell_interruption(self) -> None:
        """End a run that the user stopped before it wrote anything else, where a round had been kept.

        Raises:
            RunInterrupted: saying where the plan is.
        """
        if self._rounds:
            onward = f"go on from it with quotalab allocate --loop --plan {self.folder}"
            raise RunInterrupted(
                f"stopped before there was a report; the best plan so far is in {self.folder}, and it is not proved: "
                + onward
            )


def so_far(target: Path) -> Path:
    """Where the best plan stands while the loop runs."""
    return target.with_name(f"{target.name}-so-far")


def drop_so_far(target: Path) -> None:
    """Remove it once the whole run is written."""
    shutil.rmtree(so_far(target), ignore_errors=True)


def loop_tables(found: Improvement) -> dict[str, pd.DataFrame]:
    """The trace, and what the proof compared."""
    from quotalab.loop_text import trace_table

    tables = {"trace": trace_table(found.loop, found.currency)}
    if found.proof is not None:
        tables["proof"] = found.proof.comparison.differences_table()
    if found.stress is not None:
        tables["stress"] = found.stress.table()
    return tables


def loop_hashes(found: Improvement) -> dict[str, str]:
    """Content hashes of the loop and the proof."""
    hashes = {"loop": found.loop.content_hash()}
    if found.proof is not None:
        hashes["proof"] = found.proof.comparison.content_hash()
    if found.stress is not None:
        hashes["stress"] = found.stress.content_hash()
    return hashes


def loop_facts(found: Improvement) -> dict[str, Any]:
    """What the manifest and the JSON say of the loop."""
    loop, proof = found.loop, found.proof
    return {
        "objective": loop.objective,
        "promise": loop.promise / 100 if loop.objective == "sales" else loop.promise,
        "rounds": loop.rounds,
        "runs": loop.cost.runs,
        "quota_years": loop.quota_years,
        "response_runs": loop.cost.response_runs,
        "stopped": loop.stopped,
        "interrupted": loop.interrupted,
        "verdict": None if proof is None else proof.verdict,
        "recommended": None if proof is None else proof.recommended,
        "best_rule": None if proof is None else proof.best_rule,
        "best_rule_within_rules": None if proof is None else not proof.outside,
        "parameter_errors": None if proof is None else _errors(proof),
        "least_regret": None if found.stress is None else found.stress.choice,
    }


def _errors(proof: Proof) -> dict[str, Any] | None:
    """What errors of the parameters cost; money in currency units."""
    if proof.uncertainty is None:
        return None
    gain, years = proof.uncertainty
    ends = {"sales_change": years.shift, "gain_left": gain.under_errors}
    return {name: [end / 100 for end in (found.estimate, found.low, found.high)] for name, found in ends.items()} | {
        "chance_ahead": gain.chance_ahead,
        "draws": gain.draws,
        "spreads_from_data": years.sources.measured,
        "spreads_stated": years.sources.stated,
    }

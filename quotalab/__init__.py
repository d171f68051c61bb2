"""quotalab: simulate a sales funnel, allocate fair quotas, and prove every plan before anyone has to believe it.

::

    import quotalab as ql

    today = ql.load("starter")
    plan = ql.allocate(today).plan
    print(ql.compare({"today": today, "plan": today.with_plan(plan)}, replications=200))

Names are imported when they are first used, so that ``import quotalab`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.compare import compare
    from optimize.price_of_fairness import worst_case_price
    from quotalab.api import allocate, baselines, calibrate, diagnose, explain, frontier, report, stress, sweep
    from quotalab.fairness import fairness_audit
    from quotalab.improving import improve
    from quotalab.job import Sizes, study
    from quotalab.judging import judged_plan
    from scenarios import errors
    from scenarios.files import changed, json_schema, library, load, save
    from scenarios.locks import lock, unlock
    from scenarios.plan import Plan
    from scenarios.scenario import Scenario
    from scenarios.today import today_plan
    from sim.run import simulate
    from sim.streaming import simulate_moments
    from sim.until import simulate_until

    __version__: str

_HOMES = {
    "Plan": "scenarios.plan",
    "Scenario": "scenarios.scenario",
    "Sizes": "quotalab.job",
    "allocate": "quotalab.api",
    "baselines": "quotalab.api",
    "calibrate": "quotalab.api",
    "changed": "scenarios.files",
    "compare": "experiments.compare",
    "diagnose": "quotalab.api",
    "errors": "scenarios",
    "explain": "quotalab.api",
    "frontier": "quotalab.api",
    "improve": "quotalab.improving",
    "fairness_audit": "quotalab.fairness",
    "json_schema": "scenarios.files",
    "judged_plan": "quotalab.judging",
    "library": "scenarios.files",
    "load": "scenarios.files",
    "lock": "scenarios.locks",
    "report": "quotalab.api",
    "save": "scenarios.files",
    "simulate": "sim.run",
    "simulate_moments": "sim.streaming",
    "simulate_until": "sim.until",
    "stress": "quotalab.api",
    "study": "quotalab.job",
    "sweep": "quotalab.api",
    "today_plan": "scenarios.today",
    "unlock": "scenarios.locks",
    "worst_case_price": "optimize.price_of_fairness",
}

__all__ = [
    "Plan",
    "Scenario",
    "Sizes",
    "__version__",
    "allocate",
    "baselines",
    "calibrate",
    "changed",
    "compare",
    "diagnose",
    "errors",
    "explain",
    "fairness_audit",
    "frontier",
    "improve",
    "json_schema",
    "judged_plan",
    "library",
    "load",
    "lock",
    "report",
    "save",
    "simulate",
    "simulate_moments",
    "simulate_until",
    "stress",
    "study",
    "sweep",
    "today_plan",
    "unlock",
    "worst_case_price",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("quotalab")
    if name not in _HOMES:
        raise AttributeError(f"module 'quotalab' has no attribute {name!r}")
    home = _HOMES[name]
    value = import_module(f"{home}.{name}") if home == "scenarios" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Other metrics than revenue: what each rep reaches of them, and how they go with more or less revenue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimize.eligibility import owned_accounts
from optimize.metrics import Rates
from scenarios.goals import RATIO_METRICS
from scenarios.scenario import Scenario
from sim.outcome import Counts, Cube, Outcome

Floats = NDArray[np.float64]


def metrics_asked(scenario: Scenario) -> tuple[str, ...]:
    """Additive metrics beside revenue that have a target, or are part of a ratio that has one; in order of name."""
    asked: set[str] = set()
    for target in scenario.goals.targets:
        asked |= set(RATIO_METRICS.get(target.metric, (target.metric,)))
    return tuple(sorted(asked - {"revenue"}))


def other_metrics(scenario: Scenario, outcome: Outcome, keep: list[int]) -> dict[str, Counts]:
    """Samples of the metrics that are asked for, each [N, R, P]."""
    cube = outcome["rep"]
    return {metric: np.ascontiguousarray(cube.by_period(metric)[:, keep]) for metric in metrics_asked(scenario)}


def rates(scenario: Scenario, outcome: Outcome, keep: list[int]) -> dict[str, Rates]:
    """How each metric goes with revenue.

    New customers come from leads alone. Orders of accounts are counted by account, so that each has its own size of
    order; the rest of a rep's orders goes with the rest of the rep's revenue. All others go with revenue, whatever it
    comes from: leads in the rep's own proportion, accounts, which may change hands, in the company's.
    """
    cube, accounts = outcome["rep"], outcome["account"]
    revenue = cube.total("revenue").mean(axis=0)[keep]
    new = cube.total("new_revenue").mean(axis=0)[keep]
    found = {}
    for metric in metrics_asked(scenario):
        mean = cube.total(metric).mean(axis=0)[keep]
        if metric == "new_customers":
            found[metric] = Rates(_shares(mean, new), 0.0)
        elif metric == "orders" and "orders" in accounts.metrics and accounts.keys:
            sold, sales = (float(accounts.total(one).mean(axis=0).sum()) for one in ("orders", "revenue"))
            each = sold / sales if sales > 0 else 0.0
            lead = np.maximum(mean - each * np.maximum(revenue - new, 0.0), 0.0)
            found[metric] = Rates(_shares(lead, new), _by_account(scenario, accounts))
        else:
            found[metric] = Rates(_shares(mean, revenue), float(mean.sum() / revenue.sum()) if revenue.sum() else 0.0)
    return found


def _by_account(scenario: Scenario, accounts: Cube) -> Floats:
    """Orders with a minor unit of revenue of each account that has an owner, [A]."""
    place = {key: i for i, key in enumerate(accounts.keys)}
    at = [place[account.id] for account in owned_accounts(scenario)]
    return _shares(*(accounts.total(one).mean(axis=0)[at] for one in ("orders", "revenue")))


def _shares(above: Floats, below: Floats) -> Floats:
    """Above / below by rep; the company's where a rep has nothing below."""
    whole = float(above.sum() / below.sum()) if below.sum() > 0 else 0.0
    return np.asarray(np.divide(above, below, out=np.full(len(below), whole), where=below > 0))

"""Activities of reps in the simulated years beside what they sold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenarios.scenario import Scenario
from scenarios.ticks import HOUR
from sim.outcome import Outcome

_PREFIX = "activity:"
_THOUSANDTHS = 1000


def activity_table(scenario: Scenario, outcome: Outcome) -> pd.DataFrame:
    """What each rep does against what comes of it, means over the replications: a row per activity and who does it.

    Columns: ``activity``, ``rep``, ``role``, ``count`` (a horizon), ``hours`` (worked on anything), ``new_customers``,
    ``sales_minor`` (new sales credited to the rep), ``per_customer`` (count over new customers; NaN without any).

    No finding is drawn from it: a stage gives the same activities each time it is worked, so who gets more or better
    leads has more of both, by construction. Only real records can say whether an activity goes with results.
    """
    cube = outcome["rep"]
    role = {rep.id: rep.role for rep in scenario.reps}
    hours, customers, sales = (
        cube.total(metric).mean(axis=0) for metric in ("busy_ticks", "new_customers", "new_revenue")
    )
    rows = []
    for metric in cube.metrics:
        if not metric.startswith(_PREFIX):
            continue
        counts = cube.total(metric).mean(axis=0) / _THOUSANDTHS
        for place in np.flatnonzero(counts).tolist():
            rep, won = cube.keys[place], float(customers[place])
            rows.append(
                {
                    "activity": metric.removeprefix(_PREFIX),
                    "rep": rep,
                    "role": role[rep],
                    "count": float(counts[place]),
                    "hours": float(hours[place]) / HOUR,
                    "new_customers": won,
                    "sales_minor": float(sales[place]),
                    "per_customer": float(counts[place]) / won if won > 0 else np.nan,
                }
            )
    columns = ["activity", "rep", "role", "count", "hours", "new_customers", "sales_minor", "per_customer"]
    return pd.DataFrame(rows, columns=columns)

"""The trade between hit rate and quotas that cover the target, from the same simulated years.

Sales are skewed to the right, so "60 % of the reps make quota" and "quotas sum to the target" cannot both hold. The
table scales a plan's quotas to several sums and shows what each does. Quotas are labels here: they do not move sales,
so the company's chance is the same in every row, and the chance that sales reach the *quota sum* is shown beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from experiments.measures import Floats, hits
from scenarios.errors import InputRefused, Problem, Unsupported
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import company_target
from sim.outcome import Counts, Outcome
from sim.statistics import Interval, mean_interval, wilson

SHARES = (1.00, 1.03, 1.05, 1.10)


@dataclass(frozen=True)
class TradeRow:
    """Quotas scaled to one sum.

    Attributes:
        share: quota sum / company target.
        quota_sum: minor units.
        hit_rate: average share of the reps with a quota who make it.
        chance_of_target: that the company makes its target.
        chance_of_quota_sum: that the company's sales reach the quota sum.
    """

    share: float
    quota_sum: int
    hit_rate: Interval
    chance_of_target: Interval
    chance_of_quota_sum: Interval


@dataclass(frozen=True)
class TradeTable:
    """What quota sums buy.

    Attributes:
        rows: in the order of the shares asked for.
        target: company target, minor units.
        share_for_most: largest quota sum / target at which the wanted hit rate is reached on average; ``None`` where
            no positive quotas reach it, or reps without sales targets alone exceed it.
        wanted_hit_rate: that of ``share_for_most``.
    """

    rows: tuple[TradeRow, ...]
    target: int
    share_for_most: float | None
    wanted_hit_rate: float
    currency: str

    def table(self) -> pd.DataFrame:
        """One row a quota sum; money in currency units."""
        return pd.DataFrame(
            {
                "quota_sum_share": [row.share for row in self.rows],
                "quota_sum": [row.quota_sum / 100 for row in self.rows],
                "hit_rate": [row.hit_rate.estimate for row in self.rows],
                "chance_of_target": [row.chance_of_target.estimate for row in self.rows],
                "chance_of_quota_sum": [row.chance_of_quota_sum.estimate for row in self.rows],
            }
        )


def trade_table(
    scenario: Scenario,
    plan: Plan,
    outcome: Outcome,
    shares: Sequence[float] = SHARES,
    wanted_hit_rate: float = 0.6,
) -> TradeTable:
    """The plan's quotas, split as they are, scaled to sums of ``shares`` of the company target.

    Args:
        outcome: the simulated years of this plan.

    Raises:
        InputRefused: no company target, no quotas, or a share that is not positive.
        Unsupported: people respond to quotas here, so scaled quotas need their own simulation.
    """
    if scenario.motivation is not None:
        rule = "people respond to quotas, so other quota sums cannot be read off the same simulated years"
        raise Unsupported(Problem("motivation", "on", rule, "compare plans with scaled quotas instead"))
    bad = [Problem("shares", str(share), "must be a positive number") for share in shares if not 0 < share < 100]
    if bad:
        raise InputRefused(bad)
    quotas = plan.quotas("revenue")
    if sum(quotas.values()) <= 0:
        raise InputRefused(Problem("plan.targets", plan.name, "no quotas to scale", "give quotas or allocate first"))
    target, cube = int(company_target(scenario)), outcome["rep"]
    sales, company = cube.total("revenue"), cube.company("revenue")
    made = wilson(int((company >= target).sum()), len(company))
    rows = []
    for share in shares:
        wanted = round(Fraction(str(share)) * target)
        scaled = scaled_quotas(quotas, wanted)
        rows.append(
            TradeRow(
                share=share,
                quota_sum=wanted,
                hit_rate=mean_interval(hits(sales, scaled, cube.keys)),
                chance_of_target=made,
                chance_of_quota_sum=wilson(int((company >= wanted).sum()), len(company)),
            )
        )
    most = _largest_share(sales, cube.keys, quotas, target, wanted_hit_rate)
    return TradeTable(tuple(rows), target, most, wanted_hit_rate, scenario.currency)


def scaled_quotas(quotas: dict[str, int], total: int) -> dict[str, int]:
    """Quotas in the same proportions that sum exactly to ``total``; largest remainders, ties by id."""
    whole = sum(quotas.values())
    exact = {rep: Fraction(value * total, whole) for rep, value in quotas.items()}
    scaled = {rep: int(value) for rep, value in exact.items()}
    order = sorted(exact, key=lambda rep: (scaled[rep] - exact[rep], rep))
    for rep in order[: total - sum(scaled.values())]:
        scaled[rep] += 1
    return scaled


def _largest_share(
    sales: Counts, reps: tuple[str, ...], quotas: dict[str, int], target: int, wanted: float
) -> float | None:
    """Quota sum / target at which the average hit rate last reaches ``wanted``.

    A rep makes scaled quota c x q in a year if S/q >= c, and a quota of zero always, so the hit rate at c is a share
    of all S/q: the answer is one of their order statistics.
    """
    carried = [column for column, rep in enumerate(reps) if rep in quotas]
    columns = [column for column in carried if quotas[reps[column]] > 0]
    ratios: Floats = sales[:, columns] / np.array([quotas[reps[column]] for column in columns])
    descending = np.sort(ratios.ravel())[::-1]
    sure = len(sales) * (len(carried) - len(columns))
    needed = int(np.ceil(wanted * len(sales) * len(carried) - 1e-9)) - sure
    if not 1 <= needed <= descending.size:
        return None
    share = float(descending[needed - 1]) * sum(quotas.values()) / target
    return share if share > 0 else None

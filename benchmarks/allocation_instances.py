"""Allocation requests of any size by one published recipe: seeded, without a simulator, with accounts as pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from optimize.account_offer import AccountOffer
from optimize.pairs import ByPair, Pairs
from optimize.problem import AllocationProblem
from optimize.programme.curves import CareCurve
from optimize.training_offer import TrainingOffer
from optimize.workload import busy_share, load_at
from scenarios.goals import FairnessRule, GrowthLimits, MinimumAttainment, PotentialBand, Workload

SEEDS: Final = {"first": 20260301, "second": 20260302, "third": 20260303}
"""The named instances."""
HELD_OUT: Final = {"fourth": 20260401, "fifth": 20260402, "sixth": 20260403}
"""Instances that nothing was tuned on."""
MINOR: Final = 100.0
SHARPNESS: Final = 6.0
FULLEST: Final = 0.95
"""The workload at which a rep has no room for more accounts."""
ROOM: Final = 0.8
"""Share of a rep's hours that accounts may take."""


@dataclass(frozen=True)
class Shape:
    """Size of an instance and what is unusual about it.

    Attributes:
        eligible: reps who may own an account; clustered: neighbours rather than any.
        value, effort, room: factors on what accounts sell, on the hours they ask, and on the reps' hours.
        gain: factor on what training sells.
    """

    reps: int
    accounts: int
    samples: int = 200
    eligible: int = 10
    clustered: bool = False
    value: float = 1.0
    effort: float = 1.0
    room: float = 1.0
    gain: float = 1.0


def least_workload(share: float) -> float:
    """The workload of somebody whose accounts take this share of the room for them."""
    return float(busy_share(np.array([load_at(FULLEST, SHARPNESS) - ROOM * (1.0 - share)]), SHARPNESS)[0])


def instance(shape: Shape, seed: int, rules: tuple[FairnessRule, ...] | None = None) -> AllocationProblem:
    """A request in which about 85 % of the accounts find room and no quota may leave its band.

    Potentials are lognormal around 1,000 with a spread of .4; a rep sells 80 % of potential on average, lognormally
    with a spread of .2 to .5; last sales are 70 to 100 % of potential. Four skills with three steps of 20 hours each,
    whose gains fall to a half and a fifth; 40 hours a rep in all, 120 at most. Accounts are lognormal with a spread of
    .7 and sell 15 % of all potential together; a candidate makes 50 to 130 % of that, and asks hours by the square
    root of the account's size. A year has 1,800 hours, of which accounts may take 1,440 and must take half of that.

    Rules that tie all people or teams together (spread of ratios, ranges of teams) are none of its own: prices leave
    them out of their bound, so that a gap would say what such a rule costs and not how good a plan is.

    Args:
        rules: in place of the instance's own.
    """
    rng = np.random.default_rng(seed)
    reps, accounts = shape.reps, shape.accounts
    potential = rng.lognormal(np.log(1_000.0), 0.4, reps)
    spread = rng.uniform(0.2, 0.5, reps)
    noise = rng.standard_normal((shape.samples, reps))
    samples = 0.8 * MINOR * potential * np.exp(spread * noise - 0.5 * spread**2)
    last = potential * rng.uniform(0.7, 1.0, reps)
    teams = max(2, reps // 10)
    each = rng.uniform(0.3, 2.5, (reps, 4)) * (potential / 1_000.0)[:, None] * 0.25 * 20.0 * shape.gain
    gain = np.concatenate(
        [np.zeros((reps, 4, 1)), np.cumsum(each[:, :, None] * np.array([1.0, 0.5, 0.2]), axis=2)], axis=2
    )
    training = TrainingOffer(
        skills=("a", "b", "c", "d"),
        step=20.0,
        gain=gain * MINOR,
        budget=40.0 * reps,
        cap=120.0,
        base=np.zeros((reps, 4)),
    )
    room = 0.8 * accounts * 180.0 / reps * rng.uniform(0.8, 1.2, reps) * shape.room
    hours = room / ROOM
    load = load_at(FULLEST, SHARPNESS) * hours - room
    fair: tuple[FairnessRule, ...] = (
        PotentialBand(tolerance=0.25),
        GrowthLimits(floor=None, cap=0.7),
        MinimumAttainment(share=0.7),
        Workload(maximum=FULLEST, minimum=least_workload(0.5)),
    )
    total = float(potential.sum()) * MINOR
    names = tuple(f"R{r:05d}" for r in range(reps))
    return AllocationProblem(
        reps=names,
        teams=tuple(f"T{r % teams:04d}" for r in range(reps)),
        samples=samples,
        basis=samples,
        total=total,
        team_totals={},
        potential=potential * MINOR,
        opportunity=samples.mean(axis=0),
        ramp=np.ones(reps),
        last_sales=last * MINOR,
        hours=hours,
        load=load,
        training=training,
        accounts=_accounts(shape, rng, potential, reps),
        rules=fair if rules is None else rules,
        rounding_step=1,
        sharpness=SHARPNESS,
    )


def _accounts(shape: Shape, rng: np.random.Generator, potential: np.ndarray, reps: int) -> AccountOffer:
    accounts, eligible = shape.accounts, min(shape.eligible, reps)
    size = rng.lognormal(np.log(120.0), 0.7, accounts)
    if shape.clustered:
        begin = rng.integers(0, reps, accounts)
        rep = (begin[:, None] + np.arange(eligible)) % reps
    else:
        # A walk around all reps with random steps never meets one twice.
        steps = rng.integers(1, max(reps // eligible, 1) + 1, (accounts, eligible))
        rep = (rng.integers(0, reps, accounts)[:, None] + np.cumsum(steps, axis=1)) % reps
        short = reps <= eligible * 2
        rep = np.argsort(rng.random((accounts, reps)), axis=1)[:, :eligible] if short else rep
    rep = np.sort(rep, axis=1)
    pairs = Pairs.of(np.repeat(np.arange(accounts), eligible), rep.ravel().astype(np.int64), (accounts, reps))
    count = len(pairs.rep)
    worth = size * 0.15 * float(potential.sum()) / float(size.sum()) * shape.value
    value = worth[pairs.account] * rng.uniform(0.5, 1.3, count)
    asked = np.sqrt(size / 120.0)[pairs.account] * 160.0 * rng.uniform(0.8, 1.25, count) * shape.effort
    nobody = np.full(accounts, -1, dtype=np.int64)
    one = CareCurve("elasticity", (1.0, 0.0, 0.0, 1.0), 0.0)
    return AccountOffer(
        ids=tuple(f"A{a:06d}" for a in range(accounts)),
        today=nobody,
        base=nobody,
        allowed=pairs,
        unit=ByPair(pairs, value * MINOR),
        displaced=ByPair(pairs, np.zeros(count)),
        order_hours=ByPair(pairs, asked),
        care_load=np.zeros(reps),
        hour_price=np.zeros(reps),
        kept=ByPair(pairs, np.ones(count)),
        potential=np.zeros(accounts),
        history=np.zeros(accounts),
        care_base=np.zeros(accounts),
        curves=(one,) * accounts,
        care_budget=None,
        max_moves=accounts,
        max_per_rep=None,
        house=np.ones(accounts, dtype=np.bool_),
    )

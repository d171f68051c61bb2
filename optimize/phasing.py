"""When: reporting periods, the step of quotas within them, and training laid into the early ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scenarios import physics

Floats = NDArray[np.float64]
FEW = 10
"""Steps that a cell holds at least on average: half a step is a twentieth of it."""
WHOLE_UNIT = 100
"""Minor units of one unit of currency."""
SHARE_OF_TIME = 0.25
"""Of somebody's working time in the periods of training, beyond which training goes to further periods."""


@dataclass(frozen=True)
class Period:
    """A reporting period, half-open."""

    label: str
    first: date
    end: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.first).days


def period_step(total: int, cells: int, step: int) -> int:
    """The step of quotas by period: the rounding step, or the first tenth of it of which cells hold ten on average.

    It stays in whole units of currency.

    Args:
        total: what all cells sum to; ``cells``: how many there are.
        step: rounding step of quotas, in minor units.
    """
    fine = step
    while total < FEW * fine * cells:
        if fine % (10 * WHOLE_UNIT):
            return min(fine, WHOLE_UNIT)
        fine //= 10
    return fine


def training_periods(periods: Sequence[Period]) -> list[int]:
    """Positions of the periods that take training: those whose middle lies in the first half of the horizon.

    Training pays back over the time that is left, so it comes early; spread, so that no month loses its selling hours.
    """
    start, end = periods[0].first, periods[-1].end
    half = (end - start).days / 2
    early = [p for p, period in enumerate(periods) if (period.first - start).days + period.days / 2 < half]
    return early or [0]


def training_slots(periods: Sequence[Period], room: Floats, begin: date, end: date, needed: float) -> tuple[int, ...]:
    """Positions of the periods in which somebody can be trained; none where there is no working time at all.

    Early periods (:func:`training_periods`) that lie in the first half of the person's own time come first, then other
    early ones, then later ones; of each kind those in which the person is employed throughout before those in part.
    Further ones are taken only where training would fill more than :data:`SHARE_OF_TIME` of the working time of those
    before.

    Args:
        room: the person's working hours in each period, [P].
        begin, end: first day of the person within the horizon, and the day after the last.
        needed: hours of training that may be asked of the person.
    """
    early = set(training_periods(periods))
    kinds: dict[tuple[bool, bool, bool], list[int]] = {}
    for p, period in enumerate(periods):
        if room[p] <= 0:
            continue
        first, last = max(period.first, begin), min(period.end, end)
        own = p in early and (first - begin).days + (last - first).days / 2 < (end - begin).days / 2
        kinds.setdefault((not own, p not in early, (first, last) != (period.first, period.end)), []).append(p)
    found: list[int] = []
    for kind in sorted(kinds):
        if found and SHARE_OF_TIME * float(room[found].sum()) >= needed:
            break
        found += kinds[kind]
    return tuple(sorted(found))


def training_left(periods: Sequence[Period], slots: Sequence[int], begin: date, end: date) -> tuple[float, float]:
    """Days that are left after training spread over its periods, on average, and all days of the person's time.

    Args:
        slots: positions of the periods of the training; without any, as by :func:`training_periods`.
        begin, end: first day of the person within the horizon, and the day after the last.
    """
    days = max((end - begin).days, 1)
    middles = []
    for p in slots or training_periods(periods):
        first, last = max(periods[p].first, begin), min(periods[p].end, end)
        middles.append((first - begin).days + max((last - first).days, 0) / 2)
    return max(days - float(np.mean(middles)), 0.0), float(days)


def training_kept(days: float, decay: float) -> float:
    """Share of a gain that is left on average over so many days, where ``decay`` is forgotten each month."""
    left = max(1, round(days / (365 / 12)))
    return float(np.mean([physics.gain_kept(1.0, decay, month) for month in range(left)]))


def laid_out(hours: Floats, step: float, room: Floats, free: Sequence[Sequence[int]]) -> Floats:
    """Training hours [R, K] in whole steps over the periods, the company's load as even as it goes; [R, K, P].

    A step that no period has room for is cut. Hours beyond all room go to the periods with the most.

    Args:
        room: working hours of each rep by period, [R, P].
        free: for each rep, the positions of the periods in which they can be trained; all where there are none.
    """
    periods = room.shape[1]
    out = np.zeros((*hours.shape, periods))
    load = np.zeros(periods)
    for r, k in zip(*np.nonzero(hours > 0), strict=True):
        left = float(hours[r, k])
        mine = free[r] or range(periods)
        while left > 1e-9:
            part = min(step, left)
            own = out[r].sum(axis=0)
            roomy = [p for p in mine if room[r, p] - own[p] >= part - 1e-9]
            if roomy:
                p = min(roomy, key=lambda p: (own[p], load[p], p))
            else:
                p = max(mine, key=lambda p: (room[r, p] - own[p], -p))
                over = float(room[r, p] - own[p])
                part = over if over > 1e-9 else part
            out[r, k, p] += part
            load[p] += part
            left -= part
    return out

"""The arrays of a model that the reference engine reads at every step, as lists.

Python reads an item of a list in a tenth of the time that it takes to read a number out of an array.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.model import Model


@dataclass(frozen=True)
class Lists:
    """Fields of :class:`sim.model.Stages` and :class:`sim.people.Reps` under their own names."""

    patience: list[int]
    effort: list[int]
    delay: list[int]
    loss_delay: list[int]
    base_logit: list[float]
    after_win: list[bool]
    to_pool: list[bool]
    stage_role: list[int]
    support: list[int]
    support_effort: list[int]
    recycle_chance: list[float]
    recycle_rest: list[int]
    recycle_max: list[int]
    rep_role: list[int]
    rep_region: list[int]
    shift: list[list[float]]
    factor: list[list[float]]
    tenure: list[int]


def lists(model: Model) -> Lists:
    """The lists of a model."""
    stages, reps = model.stages, model.reps
    return Lists(
        patience=stages.patience.tolist(),
        effort=stages.effort.tolist(),
        delay=stages.delay.tolist(),
        loss_delay=stages.loss_delay.tolist(),
        base_logit=stages.base_logit.tolist(),
        after_win=stages.after_win.tolist(),
        to_pool=stages.to_pool.tolist(),
        stage_role=stages.role.tolist(),
        support=stages.support.tolist(),
        support_effort=stages.support_effort.tolist(),
        recycle_chance=stages.recycle_chance.tolist(),
        recycle_rest=stages.recycle_rest.tolist(),
        recycle_max=stages.recycle_max.tolist(),
        rep_role=reps.role.tolist(),
        rep_region=reps.region.tolist(),
        shift=reps.shift.tolist(),
        factor=reps.factor.tolist(),
        tenure=reps.tenure.tolist(),
    )

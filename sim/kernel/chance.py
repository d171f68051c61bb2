"""The chance of a yes to a new lead: reckoned once of each source, segment, epoch and stage, unless they are many.

The exponential in it takes longer than looking it up.
"""

from __future__ import annotations

from sim.compile import inlined_kernel, kernel
from sim.kernel.tables import a_segment, a_source, a_stage, put_real, real
from sim.kernel.world import World
from sim.rules import conversion


@kernel
def reckon_chances(w: World) -> None:
    """Fill the table of :func:`chance`, which is of the model and holds for all replications."""
    segments = max(w.segment_count, 1)
    for place in range(w.room_chances):
        stage, epoch = place % w.stage_count, place // w.stage_count % w.epoch_count
        kind = place // (w.stage_count * w.epoch_count)
        put_real(w.chances, place, _chance(w, kind // segments, kind % segments, epoch, stage))
    w.chances_known = 1


@inlined_kernel
def chance(w: World, source: int, segment: int, epoch: int, stage: int) -> float:
    """Chance that a new lead's customer agrees at a stage to a rep in an epoch."""
    place = ((source * max(w.segment_count, 1) + max(segment, 0)) * w.epoch_count + epoch) * w.stage_count + stage
    return real(w.chances, place) if place < w.room_chances else _chance(w, source, max(segment, 0), epoch, stage)


@kernel
def _chance(w: World, source: int, segment: int, epoch: int, stage: int) -> float:
    quality = a_source(w, source).quality + a_segment(w, segment).quality
    return conversion(a_stage(w, stage).base_logit, real(w.shifts, epoch * w.stage_count + stage) + quality)

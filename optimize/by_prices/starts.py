"""Where the search for owners begins: arcs with the care that prices ask for, first training steps, owners at home."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.relaxation import Response
from optimize.by_prices.request import Request
from optimize.problem import AllocationProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLEXIBLE = 0.25
"""Part of the hours of care that owners may be given too many or too few of: care is settled after the owners are."""


@dataclass(frozen=True)
class Offer:
    """What the search goes by at prices of the dual.

    Attributes:
        request: arcs with the care that prices ask for, training steps by falling worth.
        extra: worth of each arc beside its sales and the hours that are limited, [P].
        hour_price: of a rep's hour where hours are limited in the search, [R]; zero where care makes room.
    """

    request: Request
    extra: Floats
    hour_price: Floats

    @classmethod
    def of(cls, request: Request, response: Response) -> Offer:
        """At the prices of a response."""
        training = request.training.reordered(response.lam, response.apart_price)
        arcs, care = request.arcs, request.arcs.care
        if care is None:
            return cls(replace(request, training=training), response.extra, response.mu)
        # Where care is decided hours are never wholly used or free: they cost what care makes of them.
        hours = float((care.load * (response.hours - care.order)).mean()) * len(arcs.free) / request.reps
        spare = FLEXIBLE * hours if len(arcs.rep) else 0.0
        priced = replace(
            request,
            training=training,
            arcs=replace(arcs, value=response.sold, hours=response.hours),
            room=request.room + spare,
            floor=request.floor - spare,
        )
        extra = response.extra - response.mu[arcs.rep] * response.hours
        return cls(priced, extra, np.zeros(request.reps))

    def worth(self, lam: Floats) -> Floats:
        """Worth of each arc without limited hours, [P]; lam: of a unit of sales, [R]."""
        arcs = self.request.arcs
        return np.asarray(lam[arcs.rep] * arcs.value + self.extra)

    def reduced(self, worth: Floats) -> Floats:
        """The same less the price of limited hours, [P]."""
        arcs = self.request.arcs
        return np.asarray(worth - self.hour_price[arcs.rep] * arcs.hours)


def first_steps(offer: Offer, response: Response) -> Ints:
    """Whole training steps of each rep by prices, within the budget and as near the simulated plan as asked, [R]."""
    training = offer.request.training
    place = np.arange(training.gain.shape[1])[None, :]
    price = (response.mu * np.where(response.mu > 0, offer.request.room_rate, offer.request.floor_rate))[:, None]
    worth = response.lam[:, None] * training.gain - response.apart_price * training.away - training.hours * price
    open_ = (place < training.most[:, None]) & (worth > response.step_price)
    forced = place < training.least[:, None]
    worth = np.where(forced, np.inf, np.where(open_, worth, -np.inf))
    chosen = np.zeros(worth.size, dtype=np.bool_)
    order = np.argsort(-worth.ravel(), kind="stable")[: int(training.budget + 1e-9)]
    chosen[order] = worth.ravel()[order] > -np.inf
    steps = np.asarray(chosen.reshape(worth.shape).sum(axis=1), dtype=np.int64)
    return _brought_near(offer, response, steps)


def _brought_near(offer: Offer, response: Response, steps: Ints) -> Ints:
    """Steps taken back, or back to, at the least loss until they are near enough to the simulated plan."""
    training = offer.request.training
    if np.isinf(training.apart) or not training.gain.shape[1]:
        return steps
    steps, reps, last = steps.copy(), np.arange(len(steps)), training.gain.shape[1] - 1
    while training.further(steps) > training.apart + 1e-9:
        worth = response.lam[:, None] * training.gain
        down, up = np.maximum(steps - 1, 0), np.minimum(steps, last)
        less = (steps > training.least) & (training.away[reps, down] > 0)
        more = (steps < training.most) & (training.away[reps, up] < 0) & (steps.sum() + 1 <= training.budget)
        loss = np.concatenate([np.where(less, worth[reps, down], np.inf), np.where(more, -worth[reps, up], np.inf)])
        at = int(np.argmin(loss))
        if np.isinf(loss[at]):
            return steps
        steps[at % len(steps)] += -1 if at < len(steps) else 1
    return steps


def home(request: Request, problem: AllocationProblem) -> Ints:
    """Arc of each free account to its owner in the simulated plan, -1 where there is none, [F]."""
    arcs = request.arcs
    out = np.full(len(arcs.free), -1, dtype=np.int64)
    stays = np.flatnonzero(arcs.rep == problem.accounts.base[arcs.free][arcs.account])
    out[arcs.account[stays]] = stays
    return out

"""Owners of accounts for given worths: greedy by prices, knapsacks, ejection chains, floors, ruin and recreate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.arcs import Arcs
from optimize.by_prices.kernels import free, greedy, place, refill_all
from optimize.by_prices.moves import chains, make_room, raise_floors
from optimize.by_prices.recount import keep_counts
from optimize.by_prices.recreate import rep_values, ruin
from optimize.by_prices.request import Request

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

State = NDArray[np.uint64]

UNBOUNDED = 1e9
"""Stands for no limit on hours, so that sums stay exact."""
NODES = 1_000
"""Where the search for one knapsack gives up; its bound stays valid."""
FEWER_NODES = 300
CHAIN_DEPTH = 2
CHAIN_NODES = 5_000
POINTS = 64
"""Points at which the value of a rep is tabled."""
GROUP = 5
"""Reps that are freed together."""


@dataclass(frozen=True)
class Worth:
    """What the search goes by: worth of each arc, [P], and the price of each account, [F].

    An account that must have an owner carries a bonus in both, so that nothing is worth leaving it without.
    """

    arc: Floats
    account: Floats
    bonus: float

    @classmethod
    def of(cls, arcs: Arcs, worth: Floats, price: Floats) -> Worth:
        """Add the bonus."""
        bonus = 4.0 * float(np.abs(worth).max(initial=0.0)) + 1.0
        owed = np.where(arcs.rests, 0.0, bonus)
        return cls(worth + owed[arcs.account], price + owed, bonus)


class Assignment:
    """Owners of the free accounts, with what each rep has left."""

    def __init__(self, request: Request, steps: Ints) -> None:
        arcs = request.arcs
        self.request, self.arcs, self.steps = request, arcs, steps.copy()
        hours = request.training.hours * steps
        self.room = np.where(np.isfinite(request.room), request.room - request.room_rate * hours, UNBOUNDED)
        self.floor = np.where(np.isfinite(request.floor), request.floor - request.floor_rate * hours, -np.inf)
        self.most = np.where(np.isfinite(request.most_accounts), request.most_accounts, len(arcs.free)).astype(np.int64)
        self.held = np.full(len(arcs.free), -1, dtype=np.int64)
        self.left = self.room.copy()
        self.count = np.zeros(request.reps, dtype=np.int64)
        self.slots = np.zeros(len(arcs.rep), dtype=np.int64)

    def copy(self) -> Assignment:
        """The same owners and steps."""
        out = Assignment(self.request, self.steps)
        out.load(self.held)
        return out

    def load(self, held: Ints) -> None:
        """Take over owners, each account by its arc."""
        self.held[:] = -1
        self.left[:] = self.room
        self.count[:] = 0
        for j in held[held >= 0]:
            place(j, self.arcs.account, self.arcs.rep, self.arcs.hours, *self._state())

    def _state(self) -> tuple[Ints, Floats, Ints, Ints, Ints]:
        return self.held, self.left, self.arcs.first, self.slots, self.count

    def build(self, worth: Worth, liking: Floats) -> None:
        """From nothing: arcs by how much prices like them, then by what they bring above the price an hour."""
        arcs = self.arcs
        above = (worth.arc - worth.account[arcs.account]) / np.maximum(arcs.hours, 1e-9)
        order = np.lexsort((-above, -np.round(liking, 2)))
        order = order[worth.arc[order] > 0]
        greedy(order, arcs.account, arcs.rep, arcs.hours, self.most, *self._state())

    def improve(self, worth: Worth, sweeps: int = 5) -> None:
        """Knapsacks over own and unowned accounts, ejection chains, knapsacks again, floors, moves."""
        arcs = self.arcs
        table = (arcs.account, arcs.rep, arcs.hours, worth.arc)
        filled = (self.most, self.held, self.left, arcs.first, arcs.of_rep, self.slots, self.count, NODES, 2)
        refill_all(*table, *filled)
        chains(arcs.start, *table, worth.account, self.most, *self._state(), CHAIN_DEPTH, sweeps, CHAIN_NODES)
        refill_all(*table, *filled)
        self.mend(worth)

    def mend(self, worth: Worth) -> None:
        """Bring reps up to their least hours and moves down to the most that are allowed, at the least loss."""
        arcs, bounds = self.arcs, (self.floor, self.room)
        if np.isfinite(self.floor).any():
            table = (arcs.account, arcs.rep, arcs.hours, worth.arc, self.most)
            raise_floors(*table, *bounds, self.held, self.left, arcs.first, arcs.of_rep, self.slots, self.count)
        keep_counts(self, worth.arc)
        self._send_back(worth)
        self._make_room(worth)

    def moves(self) -> Floats:
        """How many free accounts count against each limit on moves, [K]."""
        owned, moves = self.held >= 0, self.arcs.moves
        return np.asarray(moves.arc[:, self.held[owned]].sum(axis=1) + moves.rest[:, ~owned].sum(axis=1))

    def counts(self) -> Floats:
        """Accounts that count towards each limit by tier or team, signed, [S]."""
        parts = np.zeros(len(self.arcs.rep))
        parts[self.held[self.held >= 0]] = 1.0
        return self.arcs.counted.sums(parts)

    def fits(self, account: int, arc: int) -> bool:
        """Whether an account may change to an arc, or to no owner at -1, by hours and numbers."""
        arcs, now = self.arcs, int(self.held[account])
        if now >= 0:
            giver = int(arcs.rep[now])
            if self.room[giver] - self.left[giver] - arcs.hours[now] < self.floor[giver]:
                return False
        if arc < 0:
            return bool(arcs.rests[account])
        r = int(arcs.rep[arc])
        return bool(arcs.hours[arc] <= self.left[r] and self.count[r] < self.most[r])

    def give(self, account: int, arc: int) -> None:
        """An account changes to an arc, or to no owner at -1."""
        if self.held[account] >= 0:
            free(account, self.arcs.rep, self.arcs.hours, *self._state())
        if arc >= 0:
            place(arc, self.arcs.account, self.arcs.rep, self.arcs.hours, *self._state())

    def _send_back(self, worth: Worth) -> None:
        for limit in range(len(self.arcs.moves.most)):
            self._send_home(worth, limit)

    def _send_home(self, worth: Worth, limit: int) -> None:
        """Accounts back to where one limit does not count them, at the least loss, until it holds."""
        arcs, moves = self.arcs, self.arcs.moves
        surplus = self.moves()[limit] - moves.most[limit]
        if surplus <= 0:
            return
        home = np.full(len(arcs.free), -1, dtype=np.int64)
        stays = np.flatnonzero(moves.arc[limit] == 0)
        home[arcs.account[stays]] = stays
        held = self.held >= 0
        away = np.where(held, moves.arc[limit][np.maximum(self.held, 0)], moves.rest[limit]) > 0
        back = np.where(home >= 0, worth.arc[np.maximum(home, 0)], 0.0)
        loss = np.where(held, worth.arc[np.maximum(self.held, 0)], 0.0) - back
        for a in np.argsort(np.where(away, loss, np.inf), kind="stable"):
            if surplus <= 0 or not away[a]:
                return
            j = int(home[a])
            if j < 0 and not (arcs.rests[a] and moves.rest[limit][a] == 0):
                continue
            if not self.fits(int(a), j):
                continue
            self.give(int(a), j)
            surplus -= 1

    def shake(
        self,
        worth: Worth,
        extra: Floats,
        tables: RepTables,
        prices: StepPrices,
        rounds: int,
        noise: float,
        state: State,
    ) -> float:
        """Ruin and recreate on concave values of reps; what it gained."""
        arcs, training, request = self.arcs, self.request.training, self.request
        owed = np.where(arcs.rests, 0.0, worth.bonus)[arcs.account]
        size = min(GROUP, max(2, request.reps // 2))
        gained = ruin(
            arcs.start, arcs.account, arcs.rep, arcs.value, arcs.hours, extra + owed,
            arcs.moves.arc - arcs.moves.rest[:, arcs.account], arcs.potential, arcs.history, worth.account, self.most,
            self.floor, self.room, self.held, self.left, arcs.first, arcs.of_rep, self.slots, self.count,
            self.steps, training.least, training.most, training.gain, training.away, prices.step, prices.apart,
            request.room_rate * training.hours, request.floor_rate * training.hours,
            int(training.budget + 1e-9) - int(self.steps.sum()), training.apart - training.further(self.steps),
            arcs.moves.most - self.moves(), self.sales(),
            self._carried(request.potential, arcs.potential), self._carried(request.history, arcs.history),
            tables.table, tables.least, tables.most, request.guarded, request.rooms, request.group, request.sums_to,
            rounds, size, noise, FEWER_NODES, state,
        )  # fmt: skip
        keep_counts(self, worth.arc)
        self._send_back(worth)
        return float(gained)

    def _carried(self, settled: Floats, each: Floats) -> Floats:
        """What reps have of a measure that accounts take with them, [R]."""
        held = self.held[self.held >= 0]
        return np.asarray(settled + np.bincount(self.arcs.rep[held], each[self.arcs.account[held]], len(settled)))

    def _make_room(self, worth: Worth) -> None:
        """Accounts change hands, at the least loss for the room it makes, where rules leave quotas none."""
        arcs, request = self.arcs, self.request
        if not request.guarded:
            return
        make_room(
            arcs.start, arcs.account, arcs.rep, arcs.value, arcs.hours, worth.arc, arcs.moves.arc, arcs.moves.most,
            self.moves(), arcs.potential, arcs.history, self.most, self.floor, self.room, self.held, self.left,
            arcs.first, arcs.of_rep, self.slots, self.count, self.sales(),
            self._carried(request.potential, arcs.potential), self._carried(request.history, arcs.history),
            request.rooms, request.group, request.sums_to,
        )  # fmt: skip

    def owners(self) -> Ints:
        """Rep of each free account, -1 where it has none, [F]."""
        return np.where(self.held >= 0, self.arcs.rep[np.maximum(self.held, 0)], -1)

    def complete(self) -> bool:
        """Whether every account that must have an owner has one, and moves and training are within their limits."""
        apart = self.request.training.apart - self.request.training.further(self.steps)
        owned = bool((self.held[~self.arcs.rests] >= 0).all())
        return owned and bool((self.moves() <= self.arcs.moves.most).all()) and apart >= -1e-9

    def sales(self) -> Floats:
        """What settled and owned accounts and training sell, [R]."""
        held = self.held[self.held >= 0]
        owned = np.bincount(self.arcs.rep[held], self.arcs.value[held], self.request.reps)
        return np.asarray(self.request.sales + owned + self.request.training.sold(self.steps))


@dataclass(frozen=True)
class StepPrices:
    """Prices of a training step: of the budget, and of one away from the simulated plan."""

    step: float
    apart: float


@dataclass(frozen=True)
class RepTables:
    """Concave values of reps by what they sell beside their samples, on a grid from least to most."""

    table: Floats
    least: Floats
    most: Floats

    @classmethod
    def of(cls, request: Request, sales: Floats, low: Floats, high: Floats, price: Floats) -> RepTables:
        """Values around the present sales."""
        own = np.abs(sales - request.sales)
        reach = np.maximum(1.5 * own, max(float(own.mean()), 1e-3))
        least, most = request.sales - 0.1 * reach, request.sales + reach
        shift = np.where(np.isfinite(request.most_shift), request.most_shift, UNBOUNDED)
        table = rep_values(
            request.ordered, request.sums, low, high, shift, request.share, price, request.counts, least, most, POINTS
        )
        return cls(table, least, most)

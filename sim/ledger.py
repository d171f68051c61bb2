"""Keeps the log of one replication, and turns each signed sale into revenue and cash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from scenarios.errors import InputRefused, Problem
from scenarios.ticks import DAY
from sim.log import Kind, Lead, Log, Row, canonical
from sim.model import Model
from sim.rules import paid_upto, payment, recognised_upto, with_vat, without_vat
from sim.rules_people import part_of

MOST_MONEY: Final = 2**60
"""Minor units; sums of a few such still fit into 64 bits."""


class Ledger:
    """Rows in any order; :meth:`log` sorts them. Rows at or after the end of the horizon are not kept."""

    def __init__(self, model: Model, key: np.uint64) -> None:
        self._model = model
        self._end = model.end
        self._key = key
        self._rows: list[Row] = []
        self.leads: dict[int, Lead] = {}
        self.buyers: dict[int, int] = {}

    def row(
        self, time: int, kind: int, entity: int, visit: int, stage: int, rep: int, item: int, value: int, extra: int
    ) -> None:
        """Add one row; the fields are those of :data:`sim.log.FIELDS`."""
        if time < self._end:
            self._rows.append((time, int(kind), entity, visit, stage, rep, item, value, extra))

    def lead(self, lead: Lead) -> None:
        """Remember what a lead or order is."""
        self.leads[lead.entity] = lead

    def book(self, now: int, lead: Lead, rep: int, parts: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
        """A sale is signed: the rows of its value, product lines, revenue, instalments and credit.

        Args:
            rep: whose sale it is, and who is credited with it where nothing else is said.
            parts: reps with the millionths of the sale up to and including their part; see :func:`sim.credit.divided`.

        Returns:
            What each rep is credited with in minor units; the amounts add up to the value.
        """
        self.row(now, Kind.BOOK, lead.entity, lead.segment, -1, rep, lead.origin, lead.value, lead.key_value)
        for ordinal, (product, value) in enumerate(lead.lines):
            self.row(now, Kind.LINE, lead.entity, ordinal, -1, rep, product, value, 0)
        self._recognise(now, lead, rep)
        self._collect(now, lead, rep)
        return self._credit(now, lead, parts) if parts else [(rep, lead.value)]

    def _credit(self, now: int, lead: Lead, parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        credited, given = [], 0
        for ordinal, (who, millionths) in enumerate(parts):
            upto = int(part_of(lead.value, millionths))
            role = int(self._model.reps.role[who])
            self.row(now, Kind.CREDIT, lead.entity, ordinal, -1, who, role, upto - given, millionths)
            credited.append((who, upto - given))
            given = upto
        return credited

    def log(self, replication: int) -> Log:
        """All rows in canonical order.

        Raises:
            InputRefused: the sales are together beyond what whole minor units of 64 bits can hold.
        """
        self._check_range()
        return Log(replication, canonical(self._rows), self.leads, self.buyers)

    def _check_range(self) -> None:
        values = [lead.value for lead in self.leads.values()]
        # A value beyond the range wraps round to a negative one when it becomes a whole number.
        if sum(values) < MOST_MONEY and min(values, default=0) >= 0:
            return
        raise InputRefused(too_much_money())

    def _recognise(self, now: int, lead: Lead, rep: int) -> None:
        cash = self._model.scenario.cash
        net = int(without_vat(lead.value, self._model.vat))
        months = 1 if cash.recognition == "at_signing" else cash.recognition_months
        for month in range(months):
            amount = int(recognised_upto(net, month + 1, months) - recognised_upto(net, month, months))
            # A twelfth of 365 days each: contracts begin on any day, months of the calendar do not fit.
            due = now + month * 365 * DAY // 12
            self.row(due, Kind.RECOGNISE, lead.entity, month, -1, rep, -1, amount, 0)

    def _collect(self, now: int, lead: Lead, rep: int) -> None:
        model = self._model
        given, share, gross = 0, 0.0, int(with_vat(lead.value, model.vat))
        for number, part in enumerate(model.instalments):
            share += part.share
            upto = gross if number + 1 == len(model.instalments) else int(paid_upto(gross, share))
            amount, given = upto - given, upto
            due = now + round(part.due_days * DAY)
            late, paid = payment(
                model.tables,
                model.payment_delay,
                model.scenario.cash.collection_probability,
                self._key,
                np.uint64(lead.entity),
                number,
            )
            self.row(due, Kind.DUE, lead.entity, number, -1, rep, -1, amount, 0)
            kind = Kind.CASH if paid else Kind.WRITE_OFF
            self.row(due + int(late), kind, lead.entity, number, -1, rep, -1, amount, 0)

    def record_training(self, until: Sequence[int]) -> None:
        """The training sessions of each rep that ended by a tick: who has left is trained no more."""
        skills = self._model.scenario.skills.dimensions
        for rep, sessions in enumerate(self._model.reps.sessions):
            identity = int(self._model.reps.identity[rep])
            for number, session in enumerate(sessions):
                if session.end > until[rep]:
                    continue
                skill = skills.index(session.skill)
                self.row(session.end, Kind.TRAINED, identity, number, -1, rep, skill, session.ticks, session.begin)


def too_much_money() -> Problem:
    """What is wrong where the sales of a horizon exceed :data:`MOST_MONEY`."""
    rule = f"all deals of one simulated horizon must stay below {MOST_MONEY // 100:.3g} currency units"
    remedy = "check the values of products, tiers, segments and sources, or count in a larger unit of money"
    return Problem("values of deals", "", rule, remedy)

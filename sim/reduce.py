"""From the log of a replication to its tables; the same sums for a simulated log and for a real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.frame import Frame, Ints, joined
from sim.log import Kind, Log
from sim.model import (
    ACCOUNT_OPPORTUNITY,
    ACCOUNT_ORDER,
    NEW_CUSTOMER_ORDER,
    NEW_LEAD,
    OPENING_PIPELINE,
    Model,
)
from sim.outcome import Cube

REP_METRICS = (
    "revenue",
    "new_revenue",
    "account_revenue",
    "key_product_revenue",
    "gross_margin",
    "recognised",
    "cash_collected",
    "cash_due",
    "written_off",
    "orders",
    "repeat_orders",
    "new_customers",
    "cycle_ticks",
    "leads",
    "lost",
    "cold",
    "busy_ticks",
    "available_ticks",
    "care_ticks",
    "order_ticks",
    "training_ticks",
)
STAGE_METRICS = (
    "entered",
    "started",
    "advanced",
    "lost",
    "cold",
    "wait_ticks",
    "busy_ticks",
    "delay_ticks",
    "lost_value",
    "open",
)
SOURCE_METRICS = ("leads", "won", "lost", "cold", "open", "revenue", "cost")
SALE_METRICS = ("orders", "revenue")
CUSTOMER_METRICS = ("customers", "repeat_customers")
ACCOUNT_METRICS = ("orders", "revenue", "care_ticks", "care_planned_ticks")


def reduce(model: Model, log: Log) -> dict[str, Cube]:
    """All tables of one replication; see :class:`sim.outcome.Outcome` for shapes and units."""
    frame = _Tables(model, log)
    return {
        "rep": frame.rep(),
        "stage": frame.stage(),
        "source": frame.source(),
        "product": frame.product(),
        "segment": frame.segment(),
        "account": frame.account(),
        "customer": frame.customer(),
    }


def stack(parts: Sequence[Mapping[str, Cube]]) -> dict[str, Cube]:
    """Tables of consecutive replications as one set."""
    head = parts[0]
    return {
        kind: Cube(
            cube.kind,
            cube.metrics,
            cube.keys,
            cube.periods,
            np.concatenate([part[kind].values for part in parts], axis=1),
        )
        for kind, cube in head.items()
    }


class _Tables(Frame):
    """The tables themselves."""

    # ---- reps -----------------------------------------------------------------------------------------------------

    def rep(self) -> Cube:
        model = self.model
        shape = (len(model.reps.ids), self.periods)
        sales = self.rows[Kind.BOOK]
        first = np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE))
        won = first | (sales["item"] == ACCOUNT_OPPORTUNITY)
        tables = {
            "revenue": self._by_rep(shape, Kind.BOOK, "value"),
            "new_revenue": self._sales(shape, won),
            "account_revenue": self._sales(shape, ~won),
            "key_product_revenue": self._by_rep(shape, Kind.BOOK, "extra"),
            "gross_margin": self._margin(shape),
            "recognised": self._by_rep(shape, Kind.RECOGNISE, "value"),
            "cash_collected": self._by_rep(shape, Kind.CASH, "value"),
            "cash_due": self._by_rep(shape, Kind.DUE, "value"),
            "written_off": self._by_rep(shape, Kind.WRITE_OFF, "value"),
            "orders": self._by_rep(shape, Kind.BOOK),
            "repeat_orders": self._sales(shape, ~won, count=True),
            "new_customers": self._sales(shape, first, count=True),
            "cycle_ticks": self._cycles(shape),
            "leads": self._leads(shape),
            "lost": self._by_rep(shape, Kind.ANSWER_NO),
            "cold": self._by_rep(shape, Kind.COLD),
            "busy_ticks": self.busy.sum(axis=1),
            "care_ticks": self.busy[:, model.stages.care],
            "order_ticks": self.busy[:, model.stages.order],
            "available_ticks": self.available(),
            "training_ticks": self._by_rep(shape, Kind.TRAINED, "value"),
        }
        stages = model.stages
        names = list(REP_METRICS)
        for activity, name in enumerate(stages.activity_names):
            names.append(f"activity:{name}")
            ended = self.rows[Kind.END]
            at_stage = ended["stage"] < stages.count
            worth = stages.activities[np.where(at_stage, ended["stage"], 0), activity]
            tables[f"activity:{name}"] = self.add(
                shape, ended, np.where(at_stage, ended["rep"], -1).astype(np.int64), worth
            )
        return self._cube("rep", tuple(names), model.reps.ids, tables)

    def _by_rep(self, shape: tuple[int, int], kind: Kind, field: str | None = None) -> Ints:
        rows = self.rows[kind]
        return self.add(shape, rows, rows["rep"].astype(np.int64), 1 if field is None else rows[field])

    def _sales(self, shape: tuple[int, int], which: NDArray[np.bool_], *, count: bool = False) -> Ints:
        rows = self.rows[Kind.BOOK][which]
        return self.add(shape, rows, rows["rep"].astype(np.int64), 1 if count else rows["value"])

    def _margin(self, shape: tuple[int, int]) -> Ints:
        """Margin of the lines whose product has a known one, each rounded down to the minor unit."""
        lines = self.rows[Kind.LINE]
        margins = np.append(self.model.products.margin, -1)  # the last is that of a product not known
        lines = lines[margins[lines["item"]] >= 0]
        share = margins[lines["item"]]
        whole, rest = np.divmod(lines["value"], 1_000_000)
        return self.add(shape, lines, lines["rep"].astype(np.int64), whole * share + rest * share // 1_000_000)

    def _cycles(self, shape: tuple[int, int]) -> Ints:
        """Ticks from creation to the win of the new customers won."""
        sales, arrived, opened = self.rows[Kind.BOOK], self.rows[Kind.ARRIVE], self.rows[Kind.OPEN]
        won = sales[np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE))]
        known = np.concatenate([arrived["entity"], opened["entity"]])
        created = np.concatenate([arrived["time"], opened["extra"]])
        return self.add(shape, won, won["rep"].astype(np.int64), won["time"] - joined(won["entity"], known, created))

    def _leads(self, shape: tuple[int, int]) -> Ints:
        """Leads by the rep who got them first: at whose desk they joined, or who took them from the pool."""
        rows = np.concatenate([self.rows[Kind.ENTER], self.rows[Kind.START]])
        rows = rows[(rows["stage"] < self.model.stages.count) & (rows["rep"] >= 0)]
        rows = rows[np.argsort(rows["time"], kind="stable")]
        _, firsts = np.unique(rows["entity"], return_index=True)
        rows = rows[firsts]
        rows = rows[np.isin(rows["entity"], self.rows[Kind.ARRIVE]["entity"])]
        return self.add(shape, rows, rows["rep"].astype(np.int64))

    # ---- stages and sources -----------------------------------------------------------------------------------------

    def stage(self) -> Cube:
        stages = self.model.stages
        shape = (stages.count, self.periods)

        def by_stage(kind: Kind, field: str | None = None) -> Ints:
            rows = self.rows[kind]
            rows = rows[(rows["stage"] >= 0) & (rows["stage"] < stages.count)]
            return self.add(shape, rows, rows["stage"].astype(np.int64), 1 if field is None else rows[field])

        finished = self._finished_after_win(shape)
        advanced = by_stage(Kind.ANSWER_YES) + by_stage(Kind.WON) + finished
        lost, cold = by_stage(Kind.ANSWER_NO), by_stage(Kind.COLD)
        entered = self._entered(shape)
        tables = {
            "entered": entered,
            "started": by_stage(Kind.START),
            "advanced": advanced,
            "lost": lost,
            "cold": cold,
            "wait_ticks": by_stage(Kind.START, "value"),
            "busy_ticks": self.busy[:, : stages.count].sum(axis=0),
            "delay_ticks": sum(
                (by_stage(kind, "extra") for kind in (Kind.ANSWER_YES, Kind.ANSWER_NO, Kind.WON)),
                np.zeros(shape, dtype=np.int64),
            ),
            "lost_value": by_stage(Kind.ANSWER_NO, "value") + by_stage(Kind.COLD, "value"),
            "open": np.cumsum(entered - advanced - lost - cold, axis=1),
        }
        return self._cube("stage", STAGE_METRICS, stages.ids, tables)

    def _entered(self, shape: tuple[int, int]) -> Ints:
        """Leads that reached each stage, once each, whether they queue anew or were found with the customer."""
        stages = self.model.stages
        rows = np.concatenate([self.rows[Kind.OPEN], self.rows[Kind.ENTER]])
        rows = self.first_rows(rows[rows["stage"] < stages.count])
        return self.add(shape, rows, rows["stage"].astype(np.int64))

    def _finished_after_win(self, shape: tuple[int, int]) -> Ints:
        stages = self.model.stages
        rows = self.rows[Kind.END]
        rows = rows[rows["stage"] < stages.count]
        rows = rows[stages.after_win[rows["stage"]]]
        return self.add(shape, rows, rows["stage"].astype(np.int64))

    def source(self) -> Cube:
        sources = self.model.sources
        shape = (len(sources.ids), self.periods)

        def by_source(kind: Kind, field: str | None = None) -> Ints:
            rows = self.rows[kind]
            return self.add(shape, rows, rows["item"].astype(np.int64), 1 if field is None else rows[field])

        leads = by_source(Kind.ARRIVE)
        won, lost, cold = by_source(Kind.WON), by_source(Kind.ANSWER_NO), by_source(Kind.COLD)
        opening = by_source(Kind.OPEN)
        tables = {
            "leads": leads,
            "won": won,
            "lost": lost,
            "cold": cold,
            "open": np.cumsum(leads + opening - won - lost - cold, axis=1),
            "revenue": by_source(Kind.WON, "value"),
            "cost": leads * sources.cost[:, None] if len(sources.ids) else leads,
        }
        return self._cube("source", SOURCE_METRICS, sources.ids, tables)

    # ---- what was sold, and to whom ---------------------------------------------------------------------------------

    def product(self) -> Cube:
        ids = self.model.products.ids
        rows = self.rows[Kind.LINE]
        keys = rows["item"].astype(np.int64)
        shape = (len(ids), self.periods)
        tables = {"orders": self.add(shape, rows, keys), "revenue": self.add(shape, rows, keys, rows["value"])}
        return self._cube("product", SALE_METRICS, ids, tables)

    def segment(self) -> Cube:
        ids = tuple(segment.id for segment in self.model.scenario.segments)
        sales = self.rows[Kind.BOOK]
        keys = sales["visit"].astype(np.int64)
        shape = (len(ids), self.periods)
        tables = {
            "orders": self.add(shape, sales, keys),
            "revenue": self.add(shape, sales, keys, sales["value"]),
        }
        return self._cube("segment", SALE_METRICS, ids, tables)

    def account(self) -> Cube:
        """Sales and care by account over the whole horizon; care in ticks of effort, done and due."""
        accounts = self.model.accounts
        out = np.zeros((len(ACCOUNT_METRICS), len(accounts.ids)), dtype=np.int64)
        sales = self.rows[Kind.BOOK]
        booked = sales[sales["item"] == ACCOUNT_ORDER]
        arisen, visits = self.rows[Kind.ORDER], self.rows[Kind.CARE]
        account = joined(booked["entity"], arisen["entity"], arisen["item"])
        np.add.at(out[0], account, 1)
        np.add.at(out[1], account, booked["value"])
        ended = self.rows[Kind.END]
        ended = ended[ended["stage"] == self.model.stages.care]
        whose = joined(ended["entity"], visits["entity"], visits["item"])
        np.add.at(out[2], whose, joined(ended["entity"], visits["entity"], visits["value"]))
        np.add.at(out[3], visits["item"].astype(np.int64), visits["value"])
        return Cube("account", ACCOUNT_METRICS, accounts.ids, ("horizon",), out[:, None, :, None])

    def customer(self) -> Cube:
        """Customers of the company over the horizon, and how many of them bought again."""
        sales = self.rows[Kind.BOOK]
        again = sales[np.isin(sales["item"], (ACCOUNT_ORDER, NEW_CUSTOMER_ORDER))]
        buyers = self.log.buyers
        won = int(np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE)).sum())
        customers = len(self.model.accounts.ids) + won
        repeat = len({buyers[entity] for entity in again["entity"].tolist()})
        values = np.array([customers, repeat], dtype=np.int64)[:, None, None, None]
        return Cube("customer", CUSTOMER_METRICS, ("company",), ("horizon",), values)

    def _cube(self, kind: str, metrics: tuple[str, ...], keys: tuple[str, ...], tables: Mapping[str, Ints]) -> Cube:
        values = np.stack([tables[metric] for metric in metrics])[:, None]
        return Cube(kind, metrics, keys, self.model.periods.labels, values)

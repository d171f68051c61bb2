"""From the log of a replication to its tables; the same sums for a simulated log and for a real one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.frame import Ints, joined
from sim.kernel.names import REP_TALLIES, STAGE_TALLIES
from sim.log import ACCOUNT_OPPORTUNITY, NEW_LEAD, OPENING_PIPELINE, TENDER, Kind, Log, LogRows
from sim.model import Model
from sim.outcome import Cube
from sim.reduce_sales import SalesTables

_TRAINED = REP_TALLIES.index("order_ticks") + 1
REP_METRICS = (*REP_TALLIES[:_TRAINED], "training_ticks", *REP_TALLIES[_TRAINED:])
"""What the compiled engine sums up by rep as it goes, and training, which it adds afterwards."""
STAGE_METRICS = (*STAGE_TALLIES, "open")
SOURCE_METRICS = (
    "leads",
    "won",
    "lost",
    "cold",
    "open",
    "revenue",
    "cost",
    "key_product_revenue",
    "cash_collected",
    "cash_due",
    "cycle_ticks",
)


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


class _Tables(SalesTables):
    """The tables themselves."""

    # ---- reps -----------------------------------------------------------------------------------------------------

    def rep(self) -> Cube:
        model = self.model
        shape = (len(model.reps.ids), self.periods)
        sales = self.rows[Kind.BOOK]
        first = np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE))
        won = first | (sales["item"] == ACCOUNT_OPPORTUNITY)
        tenders = sales["item"] == TENDER
        again = ~(won | tenders)
        begun = self.rows[Kind.START]
        begun = begun[begun["stage"] < model.stages.count]
        tables = {
            "revenue": self._credited(shape, sales),
            "new_revenue": self._credited(shape, sales[won]),
            "account_revenue": self._credited(shape, sales[again]),
            "key_product_revenue": self._credited(shape, sales, "extra"),
            "gross_margin": self._margin(shape),
            "recognised": self._credited(shape, self.rows[Kind.RECOGNISE]),
            "cash_collected": self._credited(shape, self.rows[Kind.CASH]),
            "cash_due": self._credited(shape, self.rows[Kind.DUE]),
            "written_off": self._credited(shape, self.rows[Kind.WRITE_OFF]),
            "orders": self._by_rep(shape, Kind.BOOK),
            "repeat_orders": self._sales(shape, again),
            "new_customers": self._sales(shape, first),
            "cycle_ticks": self._cycles(shape),
            "leads": self._leads(shape),
            "lost": self._by_rep(shape, Kind.ANSWER_NO),
            "cold": self._by_rep(shape, Kind.COLD),
            "busy_ticks": self.busy.sum(axis=1),
            "care_ticks": self.busy[:, model.stages.care],
            "order_ticks": self.busy[:, model.stages.order],
            "available_ticks": self.available(),
            "training_ticks": self._by_rep(shape, Kind.TRAINED, "value"),
            "tender_revenue": self._credited(shape, sales[tenders]),
            "tenders_won": self._sales(shape, tenders),
            "churned": self._by_rep(shape, Kind.CHURN),
            "handover_loss": self._by_rep(shape, Kind.MISSED, "value"),
            "started": self.add(shape, begun, begun["rep"].astype(np.int64)),
            "wait_ticks": self.add(shape, begun, begun["rep"].astype(np.int64), begun["value"]),
        }
        activities = self._activities(shape, "rep")
        return self.cube("rep", (*REP_METRICS, *activities), model.reps.ids, tables | activities)

    def _activities(self, shape: tuple[int, int], field: str) -> dict[str, Ints]:
        """Thousandths of each activity by rep or stage: what the stage of each service that ended is worth."""
        stages = self.model.stages
        ended = self.rows[Kind.END]
        ended = ended[ended["stage"] < stages.count]
        keys = ended[field].astype(np.int64)
        worth = stages.activities[ended["stage"]]
        return {
            f"activity:{name}": self.add(shape, ended, keys, worth[:, activity])
            for activity, name in enumerate(stages.activity_names)
        }

    def _by_rep(self, shape: tuple[int, int], kind: Kind, field: str | None = None) -> Ints:
        rows = self.rows[kind]
        return self.add(shape, rows, rows["rep"].astype(np.int64), 1 if field is None else rows[field])

    def _sales(self, shape: tuple[int, int], which: NDArray[np.bool_]) -> Ints:
        rows = self.rows[Kind.BOOK][which]
        return self.add(shape, rows, rows["rep"].astype(np.int64))

    def _credited(self, shape: tuple[int, int], rows: LogRows, field: str = "value") -> Ints:
        """Amounts on sales by who is credited; a sale is counted with the rep who signed it."""
        return self.add(shape, *self.credited(rows, rows[field]))

    def _margin(self, shape: tuple[int, int]) -> Ints:
        lines, margins = self.margins()
        return self.add(shape, *self.credited(lines, margins))

    def _cycles(self, shape: tuple[int, int]) -> Ints:
        """Ticks from creation to the win of the new customers won."""
        sales = self.rows[Kind.BOOK]
        won = sales[np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE))]
        return self.add(shape, won, won["rep"].astype(np.int64), self.cycles(won))

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
        activities = self._activities(shape, "stage")
        return self.cube("stage", (*STAGE_METRICS, *activities), stages.ids, tables | activities)

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
        opening, wins = by_source(Kind.OPEN), self.rows[Kind.WON]
        key_products = joined(wins["entity"], self.rows[Kind.BOOK]["entity"], self.rows[Kind.BOOK]["extra"])
        tables = {
            "leads": leads,
            "won": won,
            "lost": lost,
            "cold": cold,
            "open": np.cumsum(leads + opening - won - lost - cold, axis=1),
            "revenue": by_source(Kind.WON, "value"),
            "cost": leads * sources.cost[:, None] if len(sources.ids) else leads,
            "key_product_revenue": self.add(shape, wins, wins["item"].astype(np.int64), key_products),
            "cash_collected": self.paid(shape, Kind.CASH, wins, "item"),
            "cash_due": self.paid(shape, Kind.DUE, wins, "item"),
            "cycle_ticks": self.add(shape, wins, wins["item"].astype(np.int64), self.cycles(wins)),
        }
        return self.cube("source", SOURCE_METRICS, sources.ids, tables)

"""What was sold, and to whom: tables by product, segment, account and customer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.frame import Frame, Ints, joined
from sim.log import Kind, LogRows
from sim.model import ACCOUNT_ORDER, NEW_CUSTOMER_ORDER, NEW_LEAD, OPENING_PIPELINE
from sim.outcome import Cube

PRODUCT_METRICS = ("orders", "revenue", "gross_margin", "attached", "all_orders")
SEGMENT_METRICS = ("orders", "revenue", "leads", "won", "lost", "cold")
CUSTOMER_METRICS = ("customers", "repeat_customers", "churned", "new_customers")
ACCOUNT_METRICS = ("orders", "revenue", "care_ticks", "care_planned_ticks", "handovers", "handover_loss", "churned")


class SalesTables(Frame):
    """Tables by what was sold and who bought it."""

    def product(self) -> Cube:
        """Sales lines by product; ``attached`` came along with another one, ``all_orders`` are all sales."""
        ids = self.model.products.ids
        rows, sales = self.rows[Kind.LINE], self.rows[Kind.BOOK]
        shape = (len(ids), self.periods)
        keys = rows["item"].astype(np.int64)
        along = rows[rows["visit"] > 0]
        lines, margins = self.margins()
        every = self.add((1, self.periods), sales, np.zeros(len(sales), dtype=np.int64))
        tables = {
            "orders": self.add(shape, rows, keys),
            "revenue": self.add(shape, rows, keys, rows["value"]),
            "gross_margin": self.add(shape, lines, lines["item"].astype(np.int64), margins),
            "attached": self.add(shape, along, along["item"].astype(np.int64)),
            "all_orders": np.tile(every, (len(ids), 1)),
        }
        return self.cube("product", PRODUCT_METRICS, ids, tables)

    def margins(self) -> tuple[LogRows, Ints]:
        """The lines whose product has a known margin, and their margins, each rounded down to the minor unit.

        Where signed values hold VAT, the margin is of what is left without it.
        """
        lines = self.rows[Kind.LINE]
        margins = np.append(self.model.products.margin, -1)  # the last is that of a product not known
        lines = lines[margins[lines["item"]] >= 0]
        held = 1_000_000 + self.model.vat[1]
        values = (lines["value"] * 1_000_000 + held // 2) // held if self.model.vat[1] else lines["value"]
        whole, rest = np.divmod(values, 1_000_000)
        share = margins[lines["item"]]
        return lines, whole * share + rest * share // 1_000_000

    def segment(self) -> Cube:
        """Sales, and what became of leads, by segment; each in the period in which it happened."""
        ids = tuple(segment.id for segment in self.model.scenario.segments)
        sales = self.rows[Kind.BOOK]
        keys = sales["visit"].astype(np.int64)
        shape = (len(ids), self.periods)
        tables = {
            "orders": self.add(shape, sales, keys),
            "revenue": self.add(shape, sales, keys, sales["value"]),
            "leads": self._in_segments(shape, Kind.ARRIVE),
            "won": self._in_segments(shape, Kind.WON),
            "lost": self._in_segments(shape, Kind.ANSWER_NO),
            "cold": self._in_segments(shape, Kind.COLD),
        }
        return self.cube("segment", SEGMENT_METRICS, ids, tables)

    def _in_segments(self, shape: tuple[int, int], kind: Kind) -> Ints:
        if shape[0] == 0:
            return np.zeros(shape, dtype=np.int64)
        rows, leads = self.rows[kind], self.log.leads
        segments = np.array([leads[entity].segment for entity in rows["entity"].tolist()], dtype=np.int64)
        return self.add(shape, rows, segments)

    def account(self) -> Cube:
        """Sales, care, changes of owner and what they cost, by account over the whole horizon.

        Care is in ticks of effort, done and due. Tenders are the owner's and no account's.
        """
        accounts = self.model.accounts
        out = np.zeros((len(ACCOUNT_METRICS), len(accounts.ids)), dtype=np.int64)
        sales, arisen = self.rows[Kind.BOOK], self.rows[Kind.ORDER]
        booked = sales[sales["item"] == ACCOUNT_ORDER]
        account = joined(booked["entity"], arisen["entity"], arisen["item"])
        np.add.at(out[0], account, 1)
        np.add.at(out[1], account, booked["value"])
        visits = self._of_accounts(Kind.CARE)
        ended = self.rows[Kind.END]
        ended = ended[np.isin(ended["entity"], visits["entity"])]
        whose = joined(ended["entity"], visits["entity"], visits["item"])
        np.add.at(out[2], whose, joined(ended["entity"], visits["entity"], visits["value"]))
        for row, kind, amount in ((3, Kind.CARE, "value"), (4, Kind.ASSIGN, ""), (5, Kind.MISSED, "value")):
            rows = self._of_accounts(kind)
            np.add.at(out[row], rows["item"].astype(np.int64), rows[amount] if amount else 1)
        np.add.at(out[6], self._of_accounts(Kind.CHURN)["item"].astype(np.int64), 1)
        return Cube("account", ACCOUNT_METRICS, accounts.ids, ("horizon",), out[:, None, :, None])

    def _of_accounts(self, kind: Kind) -> LogRows:
        """Rows of the scenario's accounts; customers won on the way have no place in the table."""
        rows: LogRows = self.rows[kind]
        known: LogRows = rows[rows["item"] >= 0]
        return known

    def customer(self) -> Cube:
        """Customers of the company over the horizon: how many bought again, left, and are new."""
        sales = self.rows[Kind.BOOK]
        again = sales[np.isin(sales["item"], (ACCOUNT_ORDER, NEW_CUSTOMER_ORDER))]
        buyers = self.log.buyers
        won = int(np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE)).sum())
        repeat = len({buyers[entity] for entity in again["entity"].tolist()})
        counts = [len(self.model.accounts.ids) + won, repeat, len(self.rows[Kind.CHURN]), won]
        values = np.array(counts, dtype=np.int64)[:, None, None, None]
        return Cube("customer", CUSTOMER_METRICS, ("company",), ("horizon",), values)

    def cube(self, kind: str, metrics: tuple[str, ...], keys: tuple[str, ...], tables: Mapping[str, Ints]) -> Cube:
        """Tables of one kind by reporting period as a cube of one replication."""
        values = np.stack([tables[metric] for metric in metrics])[:, None]
        return Cube(kind, metrics, keys, self.model.periods.labels, values)

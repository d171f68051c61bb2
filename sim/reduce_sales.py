"""What was sold, and to whom: tables by product, segment, account and customer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sim.frame import Frame, Ints, joined
from sim.kernel.names import ACCOUNT_TALLIES, SEGMENT_TALLIES
from sim.log import ACCOUNT_ORDER, NEW_CUSTOMER_ORDER, NEW_LEAD, OPENING_PIPELINE, Kind, LogRows
from sim.outcome import Cube

PRODUCT_METRICS = ("orders", "revenue", "gross_margin", "attached", "all_orders")
SEGMENT_METRICS = SEGMENT_TALLIES
ACCOUNT_METRICS = ACCOUNT_TALLIES
CUSTOMER_METRICS = ("customers", "repeat_customers", "buying_customers", "churned", "new_customers")


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
        every = self._company(sales)
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
        new, again = self._new(sales), self._again(sales)
        wins = self.rows[Kind.WON]
        of_wins = joined(wins["entity"], sales["entity"], sales["visit"])
        shape = (len(ids), self.periods)
        tables = {
            "orders": self.add(shape, sales, keys),
            "revenue": self.add(shape, sales, keys, sales["value"]),
            "leads": self._in_segments(shape, Kind.ARRIVE),
            "won": self._in_segments(shape, Kind.WON),
            "lost": self._in_segments(shape, Kind.ANSWER_NO),
            "cold": self._in_segments(shape, Kind.COLD),
            "new_customers": self.add(shape, sales[new], keys[new]),
            "repeat_orders": self.add(shape, sales[again], keys[again]),
            "key_product_revenue": self.add(shape, sales, keys, sales["extra"]),
            "cash_collected": self.paid(shape, Kind.CASH, sales, "visit"),
            "cash_due": self.paid(shape, Kind.DUE, sales, "visit"),
            "cycle_ticks": self.add(shape, wins, of_wins, self.cycles(wins)),
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
        """Customers of the company; those of the start count as come in the first period.

        Who buys again counts once in all as a repeat customer, when that happens first, and once in each period as a
        buying customer.
        """
        sales = self.rows[Kind.BOOK]
        again = sales[self._again(sales)]
        buyers = np.array([self.log.buyers[entity] for entity in again["entity"].tolist()], dtype=np.uint64)
        _, firsts = np.unique(buyers, return_index=True)
        periods = np.searchsorted(self.bounds, again["time"], side="right").astype(np.uint64)
        _, in_period = np.unique(np.stack([buyers, periods]), axis=1, return_index=True)
        new = self._company(sales[self._new(sales)])
        came = new.copy()
        came[0, 0] += len(self.model.accounts.ids)
        tables = {
            "customers": came,
            "repeat_customers": self._company(again[firsts]),
            "buying_customers": self._company(again[in_period]),
            "churned": self._company(self.rows[Kind.CHURN]),
            "new_customers": new,
        }
        return self.cube("customer", CUSTOMER_METRICS, ("company",), tables)

    def _company(self, rows: LogRows) -> Ints:
        return self.add((1, self.periods), rows, np.zeros(len(rows), dtype=np.int64))

    def _new(self, sales: LogRows) -> NDArray[np.bool_]:
        """Which sales make somebody a customer."""
        return np.isin(sales["item"], (NEW_LEAD, OPENING_PIPELINE))

    def _again(self, sales: LogRows) -> NDArray[np.bool_]:
        """Which sales are further orders of a customer."""
        return np.isin(sales["item"], (ACCOUNT_ORDER, NEW_CUSTOMER_ORDER))

    def cycles(self, rows: LogRows) -> Ints:
        """Ticks from a lead's or opportunity's creation to each row's time."""
        arrived, opened = self.rows[Kind.ARRIVE], self.rows[Kind.OPEN]
        known = np.concatenate([arrived["entity"], opened["entity"]])
        created = np.concatenate([arrived["time"], opened["extra"]])
        cycles: Ints = rows["time"] - joined(rows["entity"], known, created)
        return cycles

    def paid(self, shape: tuple[int, int], kind: Kind, sales: LogRows, field: str) -> Ints:
        """Amounts due or paid for some sales, in the period in which that happens, by what a field of the sale says."""
        rows = self.rows[kind]
        rows = rows[np.isin(rows["entity"], sales["entity"])]
        return self.add(shape, rows, joined(rows["entity"], sales["entity"], sales[field]), rows["value"])

    def cube(self, kind: str, metrics: tuple[str, ...], keys: tuple[str, ...], tables: Mapping[str, Ints]) -> Cube:
        """Tables of one kind by reporting period as a cube of one replication."""
        values = np.stack([tables[metric] for metric in metrics])[:, None]
        return Cube(kind, metrics, keys, self.model.periods.labels, values)

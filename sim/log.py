"""The event log: one flat table of what happened, the same whichever engine or CRM wrote it.

Rows are sorted by (time, kind, entity, visit, stage): a canonical order that no engine's inner workings shape. Every
field is described in :data:`FIELDS`, every kind in :class:`Kind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

FIELDS: Final[dict[str, tuple[str, str]]] = {
    "time": ("i8", "ticks (ms) since midnight of the horizon's first day"),
    "kind": ("i2", "what happened, see Kind"),
    "entity": ("u8", "64-bit identity of the lead, order, care visit or account"),
    "visit": ("i4", "which visit of the stage, which instalment, which product line"),
    "stage": ("i2", "position of the stage; S for an account order, S + 1 for care; -1 where none"),
    "rep": ("i4", "position of the rep; -1 for nobody or the public pool"),
    "item": ("i4", "position of the source, product or account, or the class of the sale; -1 where none"),
    "value": ("i8", "money in minor units, or ticks, as the kind says"),
    "extra": ("i8", "second amount, as the kind says"),
}

_KIND_BITS: Final = 8

LOG_DTYPE: Final = np.dtype([(name, kind) for name, (kind, _) in FIELDS.items()])

NEW_LEAD: Final = 0
ACCOUNT_ORDER: Final = 1
NEW_CUSTOMER_ORDER: Final = 2
OPENING_PIPELINE: Final = 3
ACCOUNT_OPPORTUNITY: Final = 4
TENDER: Final = 5
"""Where a sale comes from; an account opportunity is an open one of a customer who is an account already."""

LogRows = NDArray[np.void]
Row = tuple[int, int, int, int, int, int, int, int, int]
"""The fields of one row."""
Lines = tuple[tuple[int, int], ...]
"""Products of a sale with their values in minor units; product -1 where it is not known."""


class Kind(IntEnum):
    """Kinds of rows. ``value`` and ``extra`` are named for each; append only."""

    END = 1  # work ended; value: start tick; extra: ticks on the clock from start to end
    LEAVE = 2  # a rep left the seat
    JOIN = 3  # a rep began, or a new hire on the seat of one who left
    ASSIGN = 4  # an account got another owner; item: account
    ANSWER_YES = 5  # the customer went on to the next stage; extra: ticks of the customer's delay
    ANSWER_NO = 6  # the customer declined: lost; value: value of the deal; extra: ticks of delay
    WON = 7  # the last answer before the win; value: signed value; extra: ticks of delay
    ORDER = 8  # an account's order arose; item: account, -1 for a new customer; value: its value
    CARE = 9  # a care visit fell due; item: account; value: ticks of effort planned
    CHURN = 10  # an account left; item: account
    ARRIVE = 11  # a lead came; item: source; value: its value; extra: region
    OPEN = 12  # an open opportunity of the start; item: source or -1; value: its value; extra: tick of creation
    ENTER = 13  # joined a queue; rep: whose, -1 is the public pool; value: deadline tick
    COLD = 14  # waited longer than the patience; value: value of the deal; extra: ticks waited
    RETURN = 15  # unworked too long: went to the public pool; extra: ticks waited
    REST = 16  # a cold lead rests and will come back; extra: ticks of rest
    BOOK = 17  # a sale was signed; visit: segment; item: class of the sale; value: signed; extra: of it key products
    LINE = 18  # one product of a sale; item: product, -1 where not known; value: its value
    RECOGNISE = 19  # revenue recognised; value: amount
    DUE = 20  # an instalment fell due; value: amount
    CASH = 21  # an instalment was paid; value: amount
    WRITE_OFF = 22  # an instalment was given up; value: amount
    START = 23  # work began; value: ticks waited; extra: tick of the end
    TRAINED = 24  # a training session ended; item: skill; value: ticks
    CREDIT = 25  # a sale's credit; item: role; value: credited; extra: millionths of the sale credited so far
    TENDER = 26  # a tender was decided; item: account or -1; value: its value; extra: 1 won, 0 lost
    MISSED = 27  # orders that a new owner is expected to miss in a stretch; item: account; value: what they are worth


@dataclass(frozen=True)
class Lead:
    """What is known of a lead, an opportunity or an order when it arises; positions are -1 where there is none."""

    entity: int
    origin: int
    source: int
    region: int
    segment: int
    product: int
    quality: float
    value: int
    key_value: int
    lines: Lines
    account: int = -1


@dataclass(frozen=True)
class Log:
    """Rows of one replication in canonical order.

    Attributes:
        rows: structured array of :data:`LOG_DTYPE`.
        leads: attributes of every lead and order that arose, by entity.
        buyers: identity of the customer who gave each order, by the order's entity.
    """

    replication: int
    rows: LogRows
    leads: Mapping[int, Lead]
    buyers: dict[int, int]

    def of(self, *kinds: Kind) -> LogRows:
        """The rows of some kinds."""
        return self.rows[np.isin(self.rows["kind"], [int(kind) for kind in kinds])]


def canonical(rows: list[Row]) -> LogRows:
    """Rows as a table in canonical order; the fields stand in the order in which they sort."""
    return table_of(sorted(rows))


def table_of(rows: list[Row]) -> LogRows:
    """Rows as a table, in the order given."""
    table = np.empty(len(rows), dtype=LOG_DTYPE)
    for name, column in zip(FIELDS, zip(*rows, strict=True), strict=False):
        table[name] = np.array(column, dtype=LOG_DTYPE[name])
    return table


def in_order(rows: LogRows) -> LogRows:
    """A table's rows in canonical order, as a new table.

    By time and kind in one pass; only rows that are alike in both are compared further.
    """
    first = (rows["time"] << _KIND_BITS) | rows["kind"]
    order = np.argsort(first, kind="stable")
    first = first[order]
    same = first[1:] == first[:-1]
    alike = np.flatnonzero(np.append(same, False) | np.append(False, same)) if len(rows) else order
    found = rows[order]
    if len(alike):
        tied = found[alike]
        further = [tied[name] for name in reversed(FIELDS) if name not in ("time", "kind")]
        found[alike] = tied[np.lexsort([*further, first[alike]])]
    return found

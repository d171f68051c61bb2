"""What is known of the leads of a log of the compiled engine, without an object for each until one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from sim.compiled.draft import Table
from sim.log import Lead


class Leads(Mapping[int, Lead]):
    """Leads and orders by entity, in the order in which they arose.

    Args:
        rows: of :data:`sim.kernel.world.LEAD_ROW`, one a lead.
        lines: of :data:`sim.kernel.world.LINE`: products of all leads with their values.
    """

    def __init__(self, rows: Table, lines: Table) -> None:
        self._rows = rows
        self._lines = lines

    def __getitem__(self, entity: int) -> Lead:
        return self._made[entity]

    def __iter__(self) -> Iterator[int]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def _made(self) -> dict[int, Lead]:
        lines = list(zip(self._lines["product"].tolist(), self._lines["value"].tolist(), strict=True))
        found = {}
        for row in self._rows.tolist():
            known = dict(zip(self._names, row, strict=True))
            first, count = known.pop("line_first"), known.pop("line_count")
            found[known["entity"]] = Lead(**known, lines=tuple(lines[first : first + count]))
        return found

    @property
    def _names(self) -> tuple[str, ...]:
        return self._rows.dtype.names or ()

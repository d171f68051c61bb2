"""How a report speaks: one language, one currency, one pair of units for all its pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import isfinite

from experiments import words
from experiments.error_text import rival_word
from experiments.money import Language, Scale, headline_scale, plain, rate, table_scale
from experiments.report.input import ReportInput, RepRow, sureness
from sim.interval import Interval

NAME_LENGTH = 14
"""Characters of a name in running text and tables of the first page."""


@dataclass(frozen=True)
class Wording:
    """Texts, numbers and dates of one report.

    Attributes:
        large: unit of figures in sentences and large type.
        table: unit of table columns.
        fine: unit of differences and costs.
        currency: its code.
        outside: whether no simple rule is within the fairness rules, so that the nearest is called that.
    """

    language: Language
    large: Scale
    table: Scale
    fine: Scale
    currency: str
    outside: bool = False

    def t(self, key: str, **fields: object) -> str:
        """The text of a key; it calls the simple rule that the plan is compared with by its standing."""
        if key in words.table() and "{best}" in words.table()[key][self.language]:
            fields["best"] = rival_word(self.language, outside=self.outside)
        return words.word(key, self.language, **fields)

    def term(self, name: str) -> str:
        """A word of the trade where there is one, else the name as given, underscores as spaces."""
        return self.t(name) if name in words.table() else name.replace("_", " ")

    def known(self, section: str, text: str) -> str:
        """The text that this section of the word table has for a machine's phrase; the phrase itself where none."""
        return words.known(section, text, self.language)

    def money(self, minor: float, *, signed: bool = False) -> str:
        """An amount in a sentence, with its unit."""
        return self.large.text(minor, signed=signed)

    def tied(self, minor: int, given: ReportInput) -> str:
        """The target or the quota sum, both with the decimals that show their ratio without rounding (at most two)."""
        scale = self.large.exact([given.quota_sum, given.strip.target or 0])
        return scale.text(minor, decimals=min(2, scale.decimals))

    def maybe_money(self, minor: float | None) -> str:
        """The same, with a dash for what is not known."""
        return self.t("page.not_known") if minor is None else self.money(minor)

    def cell(self, minor: float | None, *, signed: bool = False) -> str:
        """An amount in a table, without its unit."""
        return self.t("page.not_known") if minor is None else self.table.number(minor, signed=signed)

    def small(self, minor: float, *, signed: bool = False) -> str:
        """A difference or a cost in a sentence, finer than totals are shown."""
        return self.fine.text(minor, signed=signed)

    def rate(self, minor: float) -> str:
        """A value for one unit of something, with its sign and as many digits as show it."""
        return rate(minor, self.language, self.currency, signed=True)

    def percent(self, share: float | None, decimals: int = 0, *, signed: bool = False) -> str:
        """A fraction as a percentage; a dash for what is not known."""
        if share is None:
            return self.t("page.not_known")
        return plain(100 * share, decimals, signed=signed) + "%"

    def percent_of(self, interval: Interval | None) -> str:
        """The estimate of a share."""
        return self.percent(None if interval is None else interval.estimate)

    def ratio(self, value: float | None, decimals: int = 2) -> str:
        """A plain ratio; a dash for what is not known."""
        return self.t("page.not_known") if value is None else plain(value, decimals)

    def hours(self, hours: float) -> str:
        """Hours as a bare number, halves shown."""
        return plain(hours, 0 if float(hours).is_integer() else 1)

    def low(self, interval: Interval) -> str:
        """Lower end of a difference in money."""
        return self._end(interval.low)

    def high(self, interval: Interval) -> str:
        """Upper end of a difference in money."""
        return self._end(interval.high)

    def strength(self, interval: Interval) -> str:
        """Proven, likely, not proven or equal, as a word."""
        return self.t(f"sure.{sureness(interval)}")

    def day(self, day: date | None) -> str:
        """A date in full."""
        if day is None:
            return self.t("page.not_known")
        month = self.t(f"month.m{day.month}")
        return self.t("page.day", day=day.day, month=month, number=day.month, year=day.year)

    def period(self, first: date, last: date) -> str:
        """A calendar year by its number, anything else by its first and last day."""
        if (first.month, first.day) == (1, 1) and last + timedelta(days=1) == date(first.year + 1, 1, 1):
            return self.t("page.year", year=first.year)
        return self.t("page.range", low=self.day(first), high=self.day(last))

    def list(self, items: list[str], most: int = 3) -> str:
        """A short list for a sentence."""
        return words.listed(items, self.language, most)

    def _end(self, minor: float) -> str:
        return self.fine.number(minor, signed=True) if isfinite(minor) else "∞".rjust(1 + (minor < 0), "−")


def wording(given: ReportInput, language: Language) -> Wording:
    """The units that suit the size of the company."""
    size = int(max(given.plan.expected.estimate, given.today.expected.estimate, given.strip.target or 0, 1))
    currency = given.strip.currency
    table = table_scale(size, language, currency)
    # A 万 is ten times a thousand: one decimal more tells a difference as finely as an English page does.
    fine = replace(table, decimals=table.decimals + 1) if language == "zh" else table
    return Wording(language, headline_scale(size, language, currency), table, fine, currency, given.rule_outside)


def rep_label(rep: RepRow) -> str:
    """Id and name, once where they are the same."""
    return rep.id if rep.name in ("", rep.id) else f"{rep.id} {rep.name}"


def short(text: str, most: int = NAME_LENGTH) -> str:
    """A text cut to a width at which it fits a line; wide characters count double."""
    budget = most
    kept: list[str] = []
    for sign in text:
        budget -= 2 if ord(sign) >= 0x2E80 else 1
        if budget < 0:
            return "".join(kept).rstrip() + "…"
        kept.append(sign)
    return text

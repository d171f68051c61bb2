"""Amounts of money as pages show them: minor units in, words with a unit out.

Rounding happens here and only here, for the eye; nobody adds up what this module returns. English pages write
``27.0M CNY`` and ``2,700k``, Chinese pages 万元 throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor, log10
from typing import Literal

from scenarios.base import MINOR_PER_MAJOR
from scenarios.errors import InputRefused, Problem

Language = Literal["en", "zh"]

MINUS = "−"
TEN_THOUSAND = 10_000
_CHINESE_CURRENCY = {
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "HKD": "港元",
    "JPY": "日元",
    "SGD": "新加坡元",
}
_ENGLISH_SCALES = ((1_000_000_000, "bn"), (1_000_000, "M"), (1_000, "k"), (1, ""))
# A table column keeps this many significant digits of the company's total.
_TABLE_DIGITS = 4
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class Scale:
    """A unit that a page counts money in.

    Attributes:
        units: currency units in one of it (1,000 for thousands, 10,000 for 万).
        suffix: what follows a figure in running text (``k``, ``M``, ``万元``).
        name: the unit as a table heading names it, with the currency.
        decimals: digits after the point.
    """

    units: int
    suffix: str
    name: str
    decimals: int

    def number(self, minor: float, *, signed: bool = False, decimals: int | None = None) -> str:
        """The bare figure, grouped by thousands, without unit."""
        places = self.decimals if decimals is None else decimals
        return plain(Decimal(minor) / (MINOR_PER_MAJOR * self.units), places, signed=signed)

    def text(self, minor: float, *, signed: bool = False, decimals: int | None = None) -> str:
        """The figure with its suffix."""
        return self.number(minor, signed=signed, decimals=decimals) + self.suffix

    def visible(self, minor: float) -> Scale:
        """The same unit with the decimals that this amount needs not to be shown as zero, if any can."""
        decimals = self.decimals
        while 0 < abs(minor) * 2 * 10**decimals < MINOR_PER_MAJOR * self.units and decimals < _MOST_DECIMALS:
            decimals += 1
        return replace(self, decimals=decimals)

    def exact(self, amounts: Iterable[int]) -> Scale:
        """The same unit with as many decimals as these amounts need to be shown without rounding."""
        needed = max((_decimals_needed(amount, self.units) for amount in amounts), default=0)
        return replace(self, decimals=max(self.decimals, needed))


def plain(value: Decimal | float, decimals: int, *, signed: bool = False) -> str:
    """A number for the eye: half away from zero, thousands grouped, a true minus, a plus when asked for.

    A figure that rounds to zero carries no sign.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    size = f"{abs(rounded):,.{decimals}f}"
    if rounded == 0:
        return size
    return (MINUS if rounded < 0 else "+" if signed else "") + size


def table_scale(total: int, language: Language, currency: str) -> Scale:
    """The unit for the columns of a table whose largest figure is ``total`` (minor units)."""
    size = abs(total) / MINOR_PER_MAJOR
    if language == "zh":
        units, suffix = TEN_THOUSAND, _wan(currency)
        decimals = max(0, min(2, _TABLE_DIGITS - _whole_digits(size / units)))
        return Scale(units, suffix, suffix, decimals if size < 1_000 * units else 0)
    units, suffix = next(
        ((units, suffix) for units, suffix in _ENGLISH_SCALES if size >= units * 2_000), _ENGLISH_SCALES[-1]
    )
    return Scale(units, suffix, f"{suffix} {currency}".strip() if suffix != "k" else f"thousand {currency}", 0)


def headline_scale(total: int, language: Language, currency: str) -> Scale:
    """The unit for figures in large type and in sentences: three significant digits of ``total`` (minor units)."""
    size = abs(total) / MINOR_PER_MAJOR
    if language == "zh":
        return table_scale(total, language, currency)
    units, suffix = next(((units, suffix) for units, suffix in _ENGLISH_SCALES if size >= units), _ENGLISH_SCALES[-1])
    decimals = max(0, 3 - _whole_digits(size / units)) if units > 1 else 0
    return Scale(units, suffix, f"{suffix} {currency}".strip(), decimals)


def amount(minor: float, language: Language, currency: str, *, signed: bool = False) -> str:
    """One amount on its own, in the unit that suits its size, with the currency: ``27.0M CNY``, ``2,700万元``."""
    scale = headline_scale(int(minor), language, currency)
    text = scale.text(minor, signed=signed)
    return text if language == "zh" else f"{text} {currency}"


def rate(minor: float, language: Language, currency: str, *, signed: bool = False) -> str:
    """A value for one unit of something, to three significant digits however small: ``444 CNY``, ``0.367元``."""
    scale = headline_scale(round(minor), language, currency)
    size = abs(minor) / MINOR_PER_MAJOR
    if size < scale.units:
        word = currency_word(language, currency)
        scale = Scale(1, word if language == "zh" else "", word, 0)
    digits = 2 - floor(log10(size / scale.units)) if size else 0
    text = scale.text(minor, signed=signed, decimals=min(max(digits, 0), _MOST_DECIMALS))
    return text if language == "zh" else f"{text} {currency}"


def adding_up(amounts: Sequence[int], scale: Scale) -> list[float]:
    """Amounts rounded to the scale's last digit so that what is shown still sums to the rounded sum; minor units.

    Largest remainders: each figure is off by less than one last digit, ties go to the earlier one.
    """
    step = Fraction(MINOR_PER_MAJOR * scale.units, 10**scale.decimals)
    exact = [Fraction(amount) / step for amount in amounts]
    lower = [floor(value) for value in exact]
    missing = floor(sum(exact) + Fraction(1, 2)) - sum(lower)
    order = sorted(range(len(exact)), key=lambda at: (lower[at] - exact[at], at))
    for at in order[:missing]:
        lower[at] += 1
    return [float(value * step) for value in lower]


def currency_word(language: Language, currency: str) -> str:
    """The currency's name: its ISO code in English, 元 and its like in Chinese."""
    return _CHINESE_CURRENCY.get(currency, currency) if language == "zh" else currency


def require_minor(value: object, where: str) -> int:
    """An exact amount; floats and booleans are refused, since a sum of them need not tie.

    Raises:
        InputRefused: not a whole number of minor units.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputRefused(
            Problem(where, repr(value), "an amount that is summed must be a whole number of minor units")
        )
    return int(value)


def _wan(currency: str) -> str:
    name = _CHINESE_CURRENCY.get(currency)
    return f"万{name}" if name else f"万 {currency}"


def _whole_digits(size: float) -> int:
    return len(str(int(size)))


def _decimals_needed(amount_minor: int, units: int) -> int:
    per_unit = MINOR_PER_MAJOR * units
    for decimals in range(_MOST_DECIMALS + 1):
        if amount_minor * 10**decimals % per_unit == 0:
            return decimals
    return _MOST_DECIMALS

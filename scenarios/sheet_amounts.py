"""Amounts of money as spreadsheets write them: thousands separators, decimal commas, signs of currencies, 万."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from scenarios.base import MINOR_PER_MAJOR
from scenarios.errors import Problem
from scenarios.tables import PLAIN_NUMBER

SCALES = {"": 1, "元": 1, "千元": 1_000, "万": 10_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
"""Units of an amount by the word behind it or in its column's title; those in 元 are of CNY."""
SIGNS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "RMB": "CNY", "人民币": "CNY"}
LARGEST = 2**62
NOTHING = "write an amount; leave the cell empty where there is no quota, 0 is a quota of nothing"

_AMOUNT = re.compile(r"(?P<minus>-?)(?P<before>[^\d,.\-]*)(?P<minus2>-?)(?P<number>\d[\d.,']*)(?P<after>[^\d]*)")
_POINT = re.compile(r"(\d+|\d{1,3}(?:[,']\d{3})+)(?:\.(\d+))?")
_COMMA = re.compile(r"(\d+|\d{1,3}(?:[.']\d{3})+)(?:,(\d+))?")


@dataclass(frozen=True)
class Amounts:
    """A column as it was read.

    Attributes:
        minor: minor units by line.
        rounded: lines whose amounts had more than two decimals.
    """

    minor: dict[int, int]
    rounded: tuple[int, ...]


def unit_of(text: str) -> tuple[str, int] | None:
    """Currency (empty where none is named) and scale that a unit means; None for one that is not known."""
    text = text.strip()
    if text in SCALES:
        return ("CNY" if "元" in text else "", SCALES[text])
    sign = SIGNS.get(text.upper(), text.upper())
    return (sign, 1) if re.fullmatch(r"[A-Z]{3}", sign) else None


def amounts(
    cells: Mapping[int, str], spot: str, currency: str, separator: str, scale: int, faults: list[Problem]
) -> Amounts:
    """Amounts of a column in minor units; what cannot be read is added to the faults.

    Whether a comma parts thousands or decimals is decided by the column as a whole: by cells that can be read in one
    way only, else by the sign between the columns (semicolons come from where a comma parts decimals).

    Args:
        cells: cells that are not empty, by line.
        spot: where a line is, with a place for its number.
        separator: sign between the columns of the file.
        scale: units of the scenario's currency in 1, from the column's title.
    """
    numbers: dict[int, tuple[str, int, bool]] = {}
    for line, cell in cells.items():
        read = _parted(cell, currency, scale)
        if isinstance(read, Problem):
            faults.append(replace(read, where=spot.format(line), value=cell))
        else:
            numbers[line] = read
    mixed = _two_ways(numbers)
    if mixed is not None:
        faults.append(Problem(spot.format(", ".join(map(str, mixed[0]))), *mixed[1:], PLAIN_NUMBER))
        return Amounts({}, ())
    point = _decimal_sign([number for number, _, _ in numbers.values()], separator)
    found: dict[int, int] = {}
    rounded = []
    for line, (number, own, negative) in numbers.items():
        where, cell = spot.format(line), cells[line]
        if point is None and not number.isdecimal() and _value(number, ".") != _value(number, ","):
            rule = "may be read in two ways: with a sign between thousands, or between decimals"
            faults.append(Problem(where, cell, rule, PLAIN_NUMBER))
            continue
        value = _value(number, point or ".")
        if value is None:
            faults.append(Problem(where, cell, "is no number", PLAIN_NUMBER))
            continue
        if negative and value:
            faults.append(Problem(where, cell, "a quota must not be negative", "correct it"))
            continue
        exact = value * own * MINOR_PER_MAJOR
        if exact > LARGEST:
            faults.append(
                Problem(where, cell, "an amount of money must stay below 4.6e16 currency units", "correct it")
            )
            continue
        whole = exact.to_integral_value(ROUND_HALF_EVEN)
        if whole != exact:
            rounded.append(line)
        found[line] = int(whole)
    return Amounts(found, tuple(rounded))


_MOST_LINES = 6


def _two_ways(numbers: Mapping[int, tuple[str, int, bool]]) -> tuple[list[int], str, str] | None:
    """Where some amounts can only be read with decimal points and others only with decimal commas.

    Returns:
        Lines of both, an example of each, and what is wrong.
    """
    only: dict[str, list[int]] = {".": [], ",": []}
    for line, (number, _, _) in numbers.items():
        signs = [sign for sign in ".," if _value(number, sign) is not None]
        if len(signs) == 1:
            only[signs[0]].append(line)
    if not all(only.values()):
        return None
    points, commas = only["."], only[","]
    rule = f"decimals are written with a point in line {_lines(points)}, with a comma in line {_lines(commas)}"
    shown = f"{numbers[points[0]][0]} and {numbers[commas[0]][0]}"
    return sorted([points[0], commas[0]]), shown, rule


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:_MOST_LINES]))
    return shown if len(lines) <= _MOST_LINES else f"{shown} and {len(lines) - _MOST_LINES} more"


def _parted(cell: str, currency: str, scale: int) -> tuple[str, int, bool] | Problem:
    """Digits with their signs, scale, and whether it is negative; else what is wrong with the cell.

    A unit beside the amount takes the place of the one in the title.
    """
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", cell)).replace("’", "'").replace("−", "-")
    bracketed = text.startswith("(") and text.endswith(")")
    match = _AMOUNT.fullmatch(text[1:-1] if bracketed else text)
    if match is None:
        return Problem("", "", "is no number", NOTHING if not re.search(r"\d", text) else PLAIN_NUMBER)
    if match["after"] in ("%", "‰"):
        return Problem("", "", "is a percentage, not an amount", "write the amount of money")
    own = 0
    for word in (match["before"], match["after"]):
        unit = unit_of(word)
        if unit is None:
            return Problem("", "", "is no number", PLAIN_NUMBER)
        named, size = unit
        if named not in ("", currency) and not (word == "¥" and currency == "JPY"):
            return Problem("", "", f"is in {named}, the scenario is in {currency}", "convert it")
        own = max(own, size if word in SCALES and word else 0)
    if own == 1 and scale != 1:
        rule = "names another unit than the title of its column"
        return Problem("", "", rule, "write all amounts in the unit of the title")
    return match["number"], own or scale, bracketed or bool(match["minus"] or match["minus2"])


def _value(number: str, point: str) -> Decimal | None:
    match = (_POINT if point == "." else _COMMA).fullmatch(number)
    if match is None:
        return None
    return Decimal(re.sub(r"\D", "", match[1]) + "." + (match[2] or "0"))


def _decimal_sign(numbers: Sequence[str], separator: str) -> str | None:
    """The sign before decimals that the column as a whole shows; None where it does not tell."""
    reads = [[sign for sign in ".," if _value(number, sign) is not None] for number in numbers]
    telling = {signs[0] for signs in reads if len(signs) == 1}
    if len(telling) == 1:
        return telling.pop()
    # A comma in a file with commas between its columns is quoted: its program takes points for decimals.
    marks = {mark for number in numbers for mark in number if mark in ".,"}
    if not telling and (marks, separator) in (({","}, ","), ({"."}, ";")):
        return "." if separator == "," else ","
    return None

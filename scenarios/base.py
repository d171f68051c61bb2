"""What every model of the vocabulary shares: immutability, strictness, ids, money."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation, Overflow
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

MINOR_PER_MAJOR = 100


class Frozen(BaseModel):
    """An immutable value: unknown keys, NaN and infinities are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=False,
    )


class Minor(int):
    """An amount of money in minor units (1/100 of the currency), exact.

    Constructors of the models take currency units (``350`` or ``"350.50"``) and keep minor units; an amount that
    is already a ``Minor`` passes through unchanged, so values can be handed from model to model.
    """

    @classmethod
    def of(cls, amount: float | str | Decimal) -> Minor:
        """Currency units to minor units.

        Raises:
            ValueError: not a finite number, or more than two decimals.
        """
        try:
            # Python reads 1_000 as a number; a planner's file that holds it is more likely damaged.
            minor = Decimal(str(amount).replace("_", "?")) * MINOR_PER_MAJOR
        except InvalidOperation:
            raise ValueError(f"an amount of money must be a number, got {amount!r}") from None
        except Overflow:
            raise ValueError(f"an amount of money must stay below 4.6e16 currency units, got {amount!r}") from None
        if not minor.is_finite():
            raise ValueError(f"an amount of money must be finite, got {amount!r}")
        if minor != minor.to_integral_value():
            raise ValueError(f"an amount of money has at most two decimals, got {amount!r}")
        if abs(minor) > 2**62:
            raise ValueError(f"an amount of money must stay below 4.6e16 currency units, got {amount!r}")
        return cls(int(minor))

    @property
    def major(self) -> float:
        """The amount in currency units."""
        return self / MINOR_PER_MAJOR


def major_units(minor: int) -> int | float:
    """Minor units as the number a person writes: an int where it is whole, else two decimals."""
    whole, rest = divmod(int(minor), MINOR_PER_MAJOR)
    return whole if rest == 0 else float(Decimal(int(minor)) / MINOR_PER_MAJOR)


def _to_minor(value: Any) -> Any:
    if isinstance(value, Minor):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        # pydantic collects ValueError only.
        raise ValueError(f"an amount of money must be a number in currency units, got {value!r}")  # noqa: TRY004
    return Minor.of(value)


def _keep_minor(value: int) -> Minor:
    return value if isinstance(value, Minor) else Minor(value)


def _not_negative(value: Minor) -> Minor:
    if value < 0:
        raise ValueError(f"an amount of money must not be negative here, got {major_units(value)}")
    return value


_MONEY_SCHEMA = {"type": "number", "minimum": 0, "description": "currency units, at most two decimals"}

Money = Annotated[
    int,
    BeforeValidator(_to_minor),
    AfterValidator(_keep_minor),
    AfterValidator(_not_negative),
    PlainSerializer(major_units, return_type=float | int),
    WithJsonSchema(_MONEY_SCHEMA),
]
"""Currency units in files and constructors, :class:`Minor` units on the attribute."""


def _clean_id(value: str) -> str:
    clean = unicodedata.normalize("NFC", value)
    if clean != clean.strip() or not clean:
        raise ValueError(f"an id must not be empty or begin or end with a space, got {value!r}")
    if any(unicodedata.category(sign)[0] == "C" for sign in clean):
        raise ValueError(f"an id must not hold control characters, got {value!r}")
    if set(clean) & set("[]=*;"):
        raise ValueError(f"an id must not hold any of [ ] = * ;, got {value!r}")
    return clean


def _within_reach(value: date) -> date:
    if not 1900 <= value.year < 2200:
        raise ValueError(f"a date must lie in the years 1900 to 2199, got {value}")
    return value


Day = Annotated[date, AfterValidator(_within_reach)]
"""A date of the calendar, far enough from its ends to be reckoned with in any time zone."""
Id = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_clean_id)]
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Score = Annotated[float, Field(ge=0, le=100)]
HOURS_OF_A_YEAR = 8_784
"""Of a leap year: nobody is cared for longer."""
Mix = dict[Id, NonNegative]
"""Weights by id; they are normalised to shares and need a positive sum."""

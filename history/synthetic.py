"""Invented exports in the shape of the shipped presets, with a known truth to find again.

Everything is drawn from one seeded Philox generator, so equal options give equal files. The figures are our own
inventions; only the layout (files, columns, words) follows the presets.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scenarios.errors import InputRefused, Problem


@dataclass(frozen=True, eq=False)
class Planted:
    """The truth behind an invented export.

    Attributes:
        path: folder or file that was written, to be read with the preset of the same shape.
        rates: true conversion rate of each rep (index rep), in the stage that differs (or win rate).
        spread_points: standard deviation of ``rates`` in percentage points.
        win_rate: mean of ``rates``.
    """

    path: Path
    rates: pd.Series
    spread_points: float
    win_rate: float


_PRODUCTS = (
    ("Atlas Lite", "Atlas", 120),
    ("Atlas Pro", "Atlas", 2400),
    ("Borealis", "Borealis", 640),
    ("Borealis Max", "Borealis", 5200),
    ("Corvid Suite", "Corvid", 18000),
)
_SECTORS = ("software", "retail", "医疗", "finance")
_REGIONS = ("East", "West", "华南")


def _planted_rates(mean: float, spread_points: float, reps: int, rng: np.random.Generator) -> np.ndarray:
    """Rates with exactly this mean and standard deviation, evenly placed (so their order alone is random)."""
    if spread_points == 0:
        return np.full(reps, mean)
    steps = np.linspace(-1, 1, reps)
    rates = mean + steps / steps.std(ddof=1) * spread_points / 100
    if rates.min() <= 0.01 or rates.max() >= 0.99:
        rule = f"rates of {reps} reps round {mean} must stay between .01 and .99"
        raise InputRefused(Problem("rep_spread_points", str(spread_points), rule, "plant a smaller spread"))
    return np.asarray(rng.permutation(rates))


def write_opportunities(
    folder: Path,
    rows: int = 4000,
    reps: int = 24,
    rep_spread_points: float = 0.0,
    win_rate: float = 0.55,
    days: int = 365,
    seed: int = 1,
    first_day: str = "2024-01-01",
) -> Planted:
    """Write a folder of four tables in the shape of preset ``maven``.

    Deals arrive evenly over ``days``; wins take about 30 days (gamma), losses about 55, so that the win rate among
    closed deals is biased while young deals are open. Open rows stand as ``Engaging`` without closing date, value
    and, for a third of them, without account. The data date is the last day.

    Raises:
        InputRefused: the planted spread does not fit the win rate.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"Rep {number:02d} 员工" for number in range(1, reps + 1)]
    rates = _planted_rates(win_rate, rep_spread_points, reps, rng)
    who = rng.integers(0, reps, rows)
    created = np.sort(rng.integers(0, days, rows))
    won = rng.random(rows) < rates[who]
    cycle = np.where(won, rng.gamma(2.0, 15.0, rows), rng.gamma(3.0, 18.0, rows)).astype(int)
    is_open = created + cycle > days - 1
    product = rng.choice(len(_PRODUCTS), rows, p=[0.3, 0.25, 0.25, 0.15, 0.05])
    price = np.array([entry[2] for entry in _PRODUCTS], dtype=float)[product]
    value = np.where(won, np.round(price * rng.normal(1.0, 0.1, rows).clip(0.5, 1.5)), 0).astype(int)
    account = rng.integers(1, 61, rows)
    nameless = is_open & (rng.random(rows) < 1 / 3)
    start = np.datetime64(first_day)
    pipeline = pd.DataFrame(
        {
            "opportunity_id": [f"S{number:06d}" for number in range(rows)],
            "sales_agent": np.array(names)[who],
            "product": np.array([entry[0] for entry in _PRODUCTS])[product],
            "account": [
                "" if hidden else f"Account {number:02d}" for number, hidden in zip(account, nameless, strict=True)
            ],
            "deal_stage": np.where(is_open, "Engaging", np.where(won, "Won", "Lost")),
            "engage_date": np.datetime_as_string(start + created),
            "close_date": np.where(is_open, "", np.datetime_as_string(start + created + cycle)),
            "close_value": np.where(is_open, "", value.astype(str)),
        }
    )
    _write(pipeline, folder / "sales_pipeline.csv")
    teams = {"sales_agent": names, "manager": [f"Manager {number % 4 + 1}" for number in range(reps)]}
    teams["regional_office"] = [_REGIONS[number % 3] for number in range(reps)]
    _write(pd.DataFrame(teams), folder / "sales_teams.csv")
    _write(pd.DataFrame(_PRODUCTS, columns=["product", "series", "sales_price"]), folder / "products.csv")
    accounts = {
        "account": [f"Account {number:02d}" for number in range(1, 61)],
        "sector": [_SECTORS[number % 4] for number in range(60)],
        "subsidiary_of": "",
    }
    _write(pd.DataFrame(accounts), folder / "accounts.csv")
    return Planted(folder, pd.Series(rates, index=names), float(np.std(rates, ddof=1) * 100), win_rate)


_FUNNEL = (
    # stage activity, its work, conversion, delay days after advancing, median minutes of work
    ("A_SUBMITTED", "W_Afhandelen leads", 0.56, 0.02, 2.0),
    ("A_PREACCEPTED", "W_Completeren aanvraag", 0.60, 0.4, 5.0),
    ("A_ACCEPTED", None, 0.97, 0.01, 0.0),
    ("O_SENT", "W_Nabellen offertes", 0.66, 9.0, 3.0),
    ("O_SENT_BACK", "W_Valideren aanvraag", 0.70, 4.0, 12.0),
)
_AUTOMATIC_DAYS = 30.5


def write_events(
    file: Path,
    cases: int = 4000,
    reps: int = 24,
    rep_spread_points: float = 0.0,
    days: int = 120,
    seed: int = 1,
    first_day: str = "2024-01-08",
) -> Planted:
    """Write an event log (``.csv.gz``) in the shape of preset ``bpic2012``.

    The reps' rates differ, if at all, in the second stage (``preaccepted``), which one rep works alone. Half of the
    offers that are lost are cancelled by the automatic resource 112 after 30.5 days. Events end ``days`` after the
    first day, so that young cases are open.

    Raises:
        InputRefused: the planted spread does not fit the conversion.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    names = [str(10_001 + number) for number in range(reps)]
    mean = _FUNNEL[1][2]
    rates = _planted_rates(mean, rep_spread_points, reps, rng)
    begun = np.sort(rng.random(cases)) * days
    rows: list[tuple[int, int, str, str, str, float]] = []
    for case in range(cases):
        amount = int(rng.integers(2, 40)) * 500
        rows += [(100_000 + case, amount, *event) for event in _life(begun[case], names, rates, rng)]
    end = float(days)
    kept = [row for row in rows if row[5] <= end]
    columns = ["case_id", "amount_req", "activity", "lifecycle", "resource", "day"]
    table = pd.DataFrame(kept, columns=columns)
    moment = pd.Timestamp(first_day, tz="UTC") + pd.to_timedelta((table["day"] * 86_400_000).round(), unit="ms")
    table["timestamp"] = moment.dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-3] + "+00:00"
    _write(table.drop(columns="day"), file)
    planted = pd.Series(rates, index=names)
    return Planted(file, planted, float(np.std(rates, ddof=1) * 100), mean)


def _life(
    begun: float, names: list[str], rates: np.ndarray, rng: np.random.Generator
) -> list[tuple[str, str, str, float]]:
    """Events of one case: activity, lifecycle, resource, day."""
    events: list[tuple[str, str, str, float]] = []
    now, recorder = begun, "112"
    for place, (activity, work, chance, delay, minutes) in enumerate(_FUNNEL):
        events.append((activity, "COMPLETE", recorder, now))
        rep = int(rng.integers(0, len(names)))
        advances = rng.random() < (rates[rep] if place == 1 else chance)
        recorder = f"{names[rep]}.0"
        wait = rng.exponential(delay)
        if work is not None:
            duration = minutes * np.exp(0.5 * rng.standard_normal()) / 1440
            started = now + min(0.1, wait)
            events.append((work, "START", recorder, started))
            events.append((work, "COMPLETE", recorder, started + duration))
            now = started + duration
        now += wait
        if not advances:
            if activity == "O_SENT" and rng.random() < 0.5:
                return [*events, ("A_CANCELLED", "COMPLETE", "112.0", max(now, begun + _AUTOMATIC_DAYS))]
            return [*events, ("A_DECLINED", "COMPLETE", recorder, now)]
    return [*events, ("A_APPROVED", "COMPLETE", recorder, now)]


def _write(table: pd.DataFrame, file: Path) -> None:
    """CSV in UTF-8; gzipped (without time stamp, so that equal tables give equal bytes) where the name says so."""
    text = table.to_csv(index=False, lineterminator="\n").encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text, mtime=0) if file.name.endswith(".gz") else text)

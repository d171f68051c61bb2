"""Published facts about two public data sets, found again by the diagnosis. Skipped where the files are absent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from history.arrivals import daily_arrivals
from history.compare import by_period
from history.crm import History, read_history
from history.skill import rep_spreads
from history.statements import statements
from history.survival import funnel

pytestmark = pytest.mark.realdata
ROOT = Path(os.environ.get("QUOTALAB_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real(folder: str, preset: str, snapshot: str | None = None) -> History:
    path = ROOT / folder
    if not path.is_dir():
        reason = f"real data {folder} not found; set QUOTALAB_DATA to the folder that holds it"
        if os.environ.get("QUOTALAB_REQUIRE_DATA"):
            pytest.fail(reason)
        pytest.skip(reason)
    return read_history(path, preset, snapshot)


@pytest.fixture(scope="module")
def crm() -> History:
    return real("maven_crm", "maven")


@pytest.fixture(scope="module")
def log() -> History:
    return real("bpic2012", "bpic2012")


def test_the_opportunity_list_is_read_completely(crm: History) -> None:
    deals = crm.opportunities
    assert deals["outcome"].value_counts().to_dict() == {"won": 2539, "open": 2265, "lost": 1552}
    assert crm.found("renamed") is not None
    assert crm.found("missing_account").count == 934
    assert deals["product"].isin(crm.products["id"]).all()
    assert crm.found("idle").count == 5
    assert (deals.loc[deals["outcome"] == "lost", "value_minor"] == 0).all()
    assert deals.loc[deals["outcome"] == "open", "value_minor"].isna().all()
    assert str(crm.observed_from.date()) == "2017-03-01"


def test_win_rates_of_reps_do_not_differ_in_the_opportunity_list(crm: History) -> None:
    (found,) = rep_spreads(crm)
    assert not found.reported
    assert found.p_value > 0.05
    assert found.sd_upper < 0.04
    for by in ("team", "region", "product", "account", "segment"):
        assert not rep_spreads(crm, by)[0].reported
    said = {statement.kind: statement for statement in statements(crm)}
    assert "Do not single out" in said["rep_spread"].english
    assert "clocks" in said


def test_the_month_of_the_quarter_moves_the_closed_rate(crm: History) -> None:
    table = by_period(crm).set_index("period")["closed_rate"]
    by_month = {month: table[table.index.month % 3 == month % 3].dropna().mean() for month in (1, 2, 3)}
    assert by_month[1] < by_month[2] < by_month[3]
    assert by_month[3] > 0.75


def test_the_event_log_gives_the_known_funnel(log: History) -> None:
    table = funnel(log).set_index("stage")
    reached = log.visits["stage"].value_counts()
    assert [reached[stage] for stage in log.stages] == [5337, 2918, 2036, 1998, 1334]
    assert (log.opportunities["outcome"] == "won").sum() == 960
    # Rates of all months of the original log; the first two months are a part of them.
    known = {"submitted": 0.563, "preaccepted": 0.694, "accepted": 0.981, "offer sent": 0.649, "sent back": 0.690}
    for stage, rate in known.items():
        assert abs(table.loc[stage, "rate"] - rate) < 0.035
    assert table.loc["offer sent", "won_median"] == pytest.approx(9.0, rel=0.05)
    assert table.loc["sent back", "won_median"] == pytest.approx(4.1, rel=0.05)
    minutes = log.work.groupby("activity")["hands_on_ms"].median().astype(float) / 60_000
    hands_on = {
        "W_Completeren aanvraag": 2.7,
        "W_Nabellen offertes": 1.7,
        "W_Nabellen incomplete dossiers": 2.1,
        "W_Valideren aanvraag": 12.0,
    }
    for activity, median in hands_on.items():
        assert minutes[activity] == pytest.approx(median, rel=0.12)
    assert log.found("pile_up").what.startswith("events.csv.gz: cases lost between 30 and 31 days")
    assert "112" not in set(log.opportunities["rep"].dropna())


def test_an_early_data_date_of_the_event_log_foretells_the_truth(log: History) -> None:
    truth = funnel(log).set_index("stage")["rate"]
    early = funnel(real("bpic2012", "bpic2012", "2011-11-30")).set_index("stage")
    assert early.loc["offer sent", "open"] > 400
    for stage in truth.index:
        assert early.loc[stage, "low"] <= truth[stage] <= early.loc[stage, "high"]
    naive = early.loc["offer sent", "naive"]
    assert abs(naive - truth["offer sent"]) > 2 * abs(early.loc["offer sent", "rate"] - truth["offer sent"])


def test_workers_of_the_event_log_differ_persistently(log: History) -> None:
    found = {result.what: result for result in rep_spreads(log)}
    hit = found["rep: preaccepted"]
    assert hit.reported
    assert hit.sd_low <= 0.077 <= hit.sd_high
    # The published correlation is over five months; two months of data attenuate it.
    assert 0.3 < hit.persistence < 0.9
    assert abs(np.arctanh(hit.persistence) - np.arctanh(hit.persistence_expected)) < 4 / np.sqrt(hit.units - 3)
    assert hit.roles_suspected
    assert not found["rep: accepted"].reported


def test_arrivals_are_not_poisson(crm: History, log: History) -> None:
    bank = daily_arrivals(log)
    assert bank.dispersion_low <= 6.6 <= bank.dispersion_high
    assert bank.weekday[6] < 0.7
    deals = daily_arrivals(crm)
    assert deals.dispersion_low > 1.5

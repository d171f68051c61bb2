"""Key figures tie to the deals, changes need whole periods, and words do not claim more than the data show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from history.compare import DIMENSIONS, by_cohort, by_period, by_unit, overall
from history.crm import History, read_history
from history.statements import statements
from history.synthetic import write_events, write_opportunities
from scenarios.errors import InputRefused


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("plain")
    return read_history(write_opportunities(folder, rows=6000, days=800, seed=3).path, "maven")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("planted")
    return read_history(write_opportunities(folder, rep_spread_points=15, seed=2).path, "maven")


def test_units_and_periods_add_up_to_the_whole(plain: History) -> None:
    whole = overall(plain).iloc[0]
    deals = plain.opportunities
    assert whole["revenue_minor"] == deals.loc[deals["outcome"] == "won", "value_minor"].sum()
    assert whole["opportunities"] == len(deals)
    for table in (by_unit(plain, "rep"), by_unit(plain, "team"), by_period(plain), by_period(plain, "quarter")):
        for figure in ("opportunities", "won", "lost", "revenue_minor"):
            assert table[figure].sum() == whole[figure]
    assert by_cohort(plain)["won"].sum() == whole["won"]
    assert whole["low"] <= 0.55 <= whole["high"]


def test_cohort_rates_are_withheld_where_they_would_mislead(plain: History, tmp_path: Path) -> None:
    assert by_unit(plain, "account")["rate"].isna().all()
    assert by_unit(plain, "rep")["rate"].notna().all()
    log = read_history(write_events(tmp_path / "events.csv.gz", cases=800).path, "bpic2012")
    assert by_unit(log, "rep")["rate"].isna().all()
    with pytest.raises(InputRefused, match="does not tell"):
        by_unit(log, "team")
    with pytest.raises(InputRefused, match=", ".join(DIMENSIONS)):
        by_unit(plain, "colour")
    with pytest.raises(InputRefused, match="month, quarter, year"):
        by_period(plain, "week")  # type: ignore[arg-type]


def test_changes_are_given_between_covered_periods_only(plain: History) -> None:
    table = by_period(plain)
    # Deals take months to close, so the first months of an export that begins empty show too few closings.
    assert not table["closed_complete"].iloc[0]
    assert table["revenue_minor"].iloc[0] < 0.5 * table["revenue_minor"].iloc[12]
    assert not table["closed_complete"].iloc[-1]
    both = table["closed_complete"] & table["closed_complete"].shift(fill_value=False)
    assert (table["won_on_period"].notna() == both).all()
    row = table.index[both][3]
    expected = table["won"].iloc[row] / table["won"].iloc[row - 1] - 1
    assert table["won_on_period"].iloc[row] == pytest.approx(expected)
    year = table["won_on_year"].notna()
    assert year.any()
    assert table["new_customers"].iloc[:12].isna().all()
    assert table["new_customers"].iloc[-3:].notna().all()


def test_young_cohorts_are_open_not_lost(plain: History) -> None:
    last = by_cohort(plain, "quarter").iloc[-1]
    assert last["won"] / last["opportunities"] < 0.40
    assert last["low"] <= 0.55 <= last["high"]


def test_words_warn_against_training_the_worst_where_nobody_is(plain: History) -> None:
    said = {statement.kind: statement for statement in statements(plain)}
    reps = said["rep_spread"]
    assert reps.strength == "none"
    assert "do not differ more than chance" in reps.english
    assert "Do not single out" in reps.english
    assert "不要据此" in reps.chinese
    assert said["team_spread"].strength == "none"
    assert "clocks" in said


def test_words_name_a_planted_spread_and_do_not_blame_the_teams(planted: History) -> None:
    said = {statement.kind: statement for statement in statements(planted)}
    assert said["rep_spread"].strength == "strong"
    assert "beyond chance" in said["rep_spread"].english
    assert said["team_spread"].strength == "none"
    assert said["product_spread"].strength == "none"


def test_every_statement_is_bilingual_with_evidence(planted: History) -> None:
    for statement in statements(planted):
        assert statement.evidence
        assert statement.strength in {"strong", "moderate", "weak", "none"}
        assert statement.english.isascii()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in statement.chinese)
        assert "nan" not in statement.english


def test_a_doubled_quarter_is_strong_and_an_equal_one_within_chance(plain: History) -> None:
    said = {statement.kind: statement for statement in statements(plain)}
    assert said["revenue_on_year"].strength == "weak"
    assert "within chance" in said["revenue_on_year"].english
    deals = plain.opportunities
    covered = by_period(plain, "quarter")
    last = covered.loc[covered["closed_complete"], "period"].iloc[-1]
    quarter = deals["closed"].dt.tz_localize(None).dt.to_period("Q").dt.to_timestamp()
    louder = deals.assign(value_minor=deals["value_minor"].where(quarter != last, deals["value_minor"] * 3))
    changed = History(**{**plain.__dict__, "opportunities": louder})
    said = {statement.kind: statement for statement in statements(changed)}
    assert said["revenue_on_year"].strength == "strong"
    assert said["revenue_on_year"].evidence["change"] > 1


def test_reading_twice_gives_the_same_tables(planted: History, tmp_path: Path) -> None:
    again = read_history(write_opportunities(tmp_path, rep_spread_points=15, seed=2).path, "maven")
    pd.testing.assert_frame_equal(by_unit(planted, "rep"), by_unit(again, "rep"))
    assert statements(planted) == statements(again)
    assert np.isfinite(overall(again)["rate"].iloc[0])

"""Reading exports: exact values, all faults at once with their lines, and every dropped row counted."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from history.crm import History, read_history
from history.mapping import Mapping
from history.mapping_files import parse_mapping
from history.quality import pile_up
from history.record import OPPORTUNITY_COLUMNS, VISIT_COLUMNS, WORK_COLUMNS
from history.synthetic import write_events, write_opportunities
from scenarios.errors import InputRefused

HEADER = "编号,owner,stage,created,closed,amount"
GOOD = ["1,陈立,赢单,2024-01-05,2024-02-01,1200.50", "2,李梅,输单,2024-01-06,2024-01-20,0", "3,陈立,方案,2024-01-07,,"]


def rules(**changes: Any) -> Mapping:
    data: dict[str, Any] = {
        "schema_version": 1,
        "kind": "opportunities",
        "money": {"currency": "CNY"},
        "time_zone": "Asia/Shanghai",
        "columns": {
            "id": "编号",
            "rep": "owner",
            "stage": "stage",
            "created": "created",
            "closed": "closed",
            "value": "amount",
        },
        "stages": ["接触", "方案"],
        "outcomes": {"won": "赢单", "lost": "输单"},
    }
    return parse_mapping({**data, **changes})


def written(tmp_path: Path, rows: list[str], header: str = HEADER, encoding: str = "utf-8") -> Path:
    file = tmp_path / "导出.csv"
    file.write_bytes(("\n".join([header, *rows]) + "\n").encode(encoding))
    return file


def refusal(path: Path, mapping: Mapping, **options: Any) -> str:
    with pytest.raises(InputRefused) as caught:
        read_history(path, mapping, **options)
    return str(caught.value)


def same(one: History, two: History) -> None:
    for name in ("opportunities", "visits", "work", "reps", "accounts", "products"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.snapshot == two.snapshot


def test_values_dates_and_states_are_read_exactly(tmp_path: Path) -> None:
    history = read_history(written(tmp_path, GOOD), rules())
    deals = history.opportunities.set_index("id")
    assert tuple(history.opportunities.columns) == OPPORTUNITY_COLUMNS
    assert deals.loc["1", "value_minor"] == 120_050
    assert deals.loc["1", "created"] == pd.Timestamp("2024-01-05", tz="Asia/Shanghai")
    assert deals["outcome"].tolist() == ["won", "lost", "open"]
    assert deals.loc["3", "stage"] == "方案"
    assert pd.isna(deals.loc["3", "value_minor"])
    assert pd.isna(deals.loc["1", "stage"])
    assert str(history.snapshot.date()) == "2024-02-01"
    assert history.reps["id"].tolist() == ["李梅", "陈立"]
    assert history.source_files[0].rows == 3
    assert len(history.source_files[0].sha256) == 64
    assert tuple(history.visits.columns) == VISIT_COLUMNS
    assert tuple(history.work.columns) == WORK_COLUMNS


def test_all_faults_are_reported_together_with_line_and_value(tmp_path: Path) -> None:
    rows = [
        *GOOD,
        "4,a,赢单,2024-13-01,2024-02-01,5",
        "5,a,赢单,2024-01-01,,5",
        "5,a,输单,2024-01-01,2024-01-02,0",
        "6,a,暂停,2024-01-01,,",
        "7,a,赢单,2024-03-01,2024-02-01,5",
        "8,a,赢单,2024-01-01,2024-02-01,-5",
        "9,a,赢单,2024-01-01,2024-02-01,many",
        "10,a,赢单,2024-01-01,2024-02-01,",
        ",a,赢单,2024-01-01,2024-02-01,5",
        "11,a,赢单,,2024-02-01,nan",
    ]
    with pytest.raises(InputRefused) as caught:
        read_history(written(tmp_path, rows), rules())
    message = str(caught.value)
    for part in (
        "line 5 '2024-13-01'",
        "line 6 ''",
        "line 7 '5'",
        "line 8 '暂停'",
        "add the words '暂停'",
        "line 9 '2024-03-01 -> 2024-02-01'",
        "line 10 '-5'",
        "line 11 'many', line 14 'nan'",
        "line 12 ''",
        "line 13 ''",
        "won or lost needs a closing date",
        "every opportunity needs a creation date",
        "set tolerate.duplicate_id",
    ):
        assert part in message
    assert len(caught.value.problems) == 10


def test_tolerated_rows_are_all_counted(tmp_path: Path) -> None:
    rows = [
        *GOOD,
        "3,a,输单,2024-01-01,2024-01-02,0",
        "4,a,赢单,soon,2024-02-01,5",
        "5,a,赢单,2024-01-01,2024-02-01,-7",
    ]
    tolerant = rules(tolerate={"duplicate_id": "first", "bad_date": "drop", "negative_value": "blank"})
    history = read_history(written(tmp_path, rows), tolerant)
    assert history.opportunities["id"].tolist() == ["5", "1", "2", "3"]
    dropped = [history.found(kind) for kind in ("duplicate_id", "bad_date")]
    assert sum(finding.count for finding in dropped if finding) == len(rows) - 4
    assert history.found("duplicate_id").rows == 6
    assert "line 5" in history.found("duplicate_id").what
    assert pd.isna(history.opportunities.set_index("id").loc["5", "value_minor"])
    assert "left empty" in history.found("negative_value").consequence


def test_nothing_left_and_nothing_there_are_refused(tmp_path: Path) -> None:
    only_bad = written(tmp_path, ["1,a,赢单,soon,2024-02-01,5"])
    assert "no row is left" in refusal(only_bad, rules(tolerate={"bad_date": "drop"}))
    assert "at least one row" in refusal(written(tmp_path, []), rules())
    (tmp_path / "导出.csv").write_bytes(b"")
    assert "must not be empty" in refusal(tmp_path / "导出.csv", rules())
    assert "must exist" in refusal(tmp_path / "nowhere.csv", rules())


def test_missing_columns_name_the_nearest(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD, header="编号,owner,stage,create,closed,amout")
    message = refusal(file, rules())
    assert "did you mean 'create'?" in message
    assert "did you mean 'amout'?" in message


def test_broken_encodings_say_line_and_byte_and_the_right_one_reads(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD, encoding="gb18030")
    message = refusal(file, rules())
    assert "line 1, byte 0" in message
    assert "gb18030" in message
    text = read_history(written(tmp_path, GOOD), rules())
    other = read_history(written(tmp_path, GOOD, encoding="gb18030"), rules(encoding="gb18030"))
    same(text, other)
    marked = read_history(written(tmp_path, GOOD, encoding="utf-8-sig"), rules())
    same(text, marked)


def test_ragged_rows_and_quoted_line_breaks_keep_their_line_numbers(tmp_path: Path) -> None:
    assert "line 3 has 7" in refusal(written(tmp_path, [GOOD[0], GOOD[1] + ",x"]), rules())
    rows = ['1,"陈\n立",赢单,2024-01-05,2024-02-01,1', "", "2,a,赢单,bad,2024-02-01,1"]
    assert "line 5 'bad'" in refusal(written(tmp_path, rows), rules())


@pytest.mark.parametrize(
    ("text", "money", "minor"),
    [
        ('"1,054.00"', {}, 105_400),
        ("¥1054", {}, 105_400),
        ("1.2", {"unit": "10000"}, 1_200_000),
        ("1.054,50", {"decimal": ",", "thousands": "."}, 105_450),
        ("0.125", {}, 12),
        ("0.135", {}, 14),
        ("9007199254740993", {"unit": "0.01"}, 9_007_199_254_740_993),
    ],
)
def test_amounts_are_exact(text: str, money: dict[str, str], minor: int, tmp_path: Path) -> None:
    cell = f'"{text}"' if "," in text and '"' not in text else text
    mapping = rules(money={"currency": "CNY", **money})
    history = read_history(written(tmp_path, [f"1,a,赢单,2024-01-05,2024-02-01,{cell}"]), mapping)
    assert history.opportunities["value_minor"].tolist() == [minor]


@pytest.mark.parametrize("text", ["1.054,00", "1,05", "12abc", "1e9", "99999999999999999"])
def test_amounts_in_another_convention_are_refused_not_misread(text: str, tmp_path: Path) -> None:
    assert "amount of money" in refusal(written(tmp_path, [f'1,a,赢单,2024-01-05,2024-02-01,"{text}"']), rules())


def test_mixed_currencies_are_refused_unless_rates_are_given(tmp_path: Path) -> None:
    rows = [f"{row},{code}" for row, code in zip(GOOD, ["USD", "CNY", ""], strict=True)]
    file = written(tmp_path, rows, header=HEADER + ",币种")
    columns = {**rules().columns.model_dump(), "currency": "币种"}
    message = refusal(file, rules(columns=columns))
    assert "CNY 2 rows" in message
    assert "money.rates for USD" in message
    converted = read_history(file, rules(columns=columns, money={"currency": "CNY", "rates": {"USD": "7.1"}}))
    assert converted.opportunities["value_minor"].tolist()[0] == 852_355
    assert converted.found("converted").count == 1
    alone = written(tmp_path, [f"{row},USD" for row in GOOD], header=HEADER + ",币种")
    assert read_history(alone, rules(columns=columns)).currency == "USD"


def test_every_kind_of_file_reads_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    text = read_history(file, rules())
    zipped = tmp_path / "z.csv.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    same(text, read_history(zipped, rules()))
    frame = pd.read_csv(file, parse_dates=["created", "closed"], dtype={"amount": float})
    frame.to_parquet(tmp_path / "p.parquet")
    same(text, read_history(tmp_path / "p.parquet", rules()))
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        pd.DataFrame({"n": [1]}).to_excel(book, sheet_name="Notes", index=False)
        frame.to_excel(book, sheet_name="Deals", index=False)
    same(text, read_history(tmp_path / "x.xlsx", rules(table="Deals")))
    # A typed fraction is no text: a decimal comma in the mapping must not turn 1200.5 into something else.
    comma = rules(table="Deals", money={"currency": "CNY", "decimal": ",", "thousands": "."})
    same(text, read_history(tmp_path / "x.xlsx", comma))
    (tmp_path / "broken.csv.gz").write_bytes(zipped.read_bytes()[:-9])
    assert "gzip" in refusal(tmp_path / "broken.csv.gz", rules())
    (tmp_path / "broken.xlsx").write_bytes(b"no book")
    assert "workbook" in refusal(tmp_path / "broken.xlsx", rules())
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    assert "Parquet" in refusal(tmp_path / "broken.parquet", rules())


def test_dates_in_given_formats_offsets_and_clock_changes(tmp_path: Path) -> None:
    rows = ["1,a,赢单,05/03/2024,06/03/2024,1", "2,a,赢单,2024-03-05T10:00:00+00:00,2024-03-06 09:00,1"]
    history = read_history(written(tmp_path, rows), rules(dates=["%d/%m/%Y", "iso"]))
    created = history.opportunities["created"]
    assert created.iloc[0] == pd.Timestamp("2024-03-05", tz="Asia/Shanghai")
    assert created.iloc[1] == pd.Timestamp("2024-03-05 18:00", tz="Asia/Shanghai")
    summer = ["1,a,赢单,2024-10-27 02:30:00,2024-10-28,1"]
    history = read_history(written(tmp_path, summer), rules(time_zone="Europe/Amsterdam"))
    assert history.found("clock_change").count == 1
    assert history.opportunities["created"].iloc[0] == pd.Timestamp("2024-10-27 01:30", tz="UTC")


def test_a_closing_without_time_on_the_day_of_creation_is_no_fault(tmp_path: Path) -> None:
    history = read_history(written(tmp_path, ["1,a,赢单,2024-01-05 10:30,2024-01-05,1"]), rules())
    assert history.found("same_day").count == 1
    assert (history.opportunities["closed"] == history.opportunities["created"]).all()
    late = written(tmp_path, ["1,a,赢单,2024-01-05 10:30,2024-01-05 09:00,1"])
    assert "closed before it was created" in refusal(late, rules())


def test_the_data_date_hides_what_was_not_known(tmp_path: Path) -> None:
    history = read_history(written(tmp_path, GOOD), rules(), snapshot="2024-01-20")
    deals = history.opportunities.set_index("id")
    assert deals["outcome"].tolist() == ["open", "lost", "open"]
    assert pd.isna(deals.loc["1", "value_minor"])
    assert history.found("reopened").count == 1
    early = read_history(written(tmp_path, GOOD), rules(), snapshot="2024-01-05")
    assert early.opportunities["id"].tolist() == ["1"]
    assert early.found("after_snapshot").count == 2
    assert "before the first creation" in refusal(written(tmp_path, GOOD), rules(), snapshot="2023-01-01")
    assert "must be a date" in refusal(written(tmp_path, GOOD), rules(), snapshot="some day")


def test_planned_closing_dates_of_open_rows_are_not_used(tmp_path: Path) -> None:
    rows = [*GOOD[:2], "3,陈立,方案,2024-01-07,2025-12-31,900"]
    history = read_history(written(tmp_path, rows), rules())
    assert history.found("planned_close").count == 1
    assert str(history.snapshot.date()) == "2024-02-01"
    assert history.opportunities["value_minor"].tolist()[-1] == 90_000


def test_side_tables_fill_attributes_and_count_what_does_not_match(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    (tmp_path / "人员.csv").write_text("姓名,团队\n陈立,东区\n王五,南区\n", encoding="utf-8")
    join = {"table": "人员", "to": "rep", "key": "姓名", "columns": {"team": "团队"}}
    mapping = rules(joins=[join], table="导出", fixes={"team": {"东区": "East"}})
    history = read_history(tmp_path, mapping)
    assert history.opportunities["team"].fillna("-").tolist() == ["East", "-", "East"]
    assert history.found("unmatched").count == 1
    assert history.found("idle").count == 1
    assert history.found("renamed").count == 1
    assert history.reps["id"].tolist() == ["李梅", "王五", "陈立"]
    (tmp_path / "人员.csv").write_text("姓名,团队\n陈立,东区\n陈立,南区\n", encoding="utf-8")
    assert "keys must be unique" in refusal(tmp_path, mapping)
    missing = rules(joins=[{**join, "table": "人事"}], table="导出")
    assert "did you mean '人员'?" in refusal(tmp_path, missing)
    optional = rules(joins=[{**join, "table": "人事", "optional": True}], table="导出")
    assert read_history(tmp_path, optional).found("absent_table") is not None


EVENTS = {
    "schema_version": 1,
    "kind": "events",
    "money": {"currency": "EUR"},
    "columns": {
        "id": "case",
        "activity": "what",
        "lifecycle": "phase",
        "rep": "who",
        "time": "when",
        "value": "amount",
    },
    "integers": "rep",
    "stages": [{"name": "lead", "words": "NEW"}, {"name": "offer", "words": "OFFER"}],
    "outcomes": {"won": "YES", "lost": "NO"},
    "work": {"call": "lead", "visit": "offer"},
    "longest_work_hours": 8,
    "automatic": "99",
}
LOG = """case,what,phase,who,when,amount
A,NEW,COMPLETE,99.0,2024-01-01 08:00:00,100
A,call,START,,2024-01-01 09:00:00,100
A,call,COMPLETE,7.0,2024-01-01 09:10:00,100
A,OFFER,COMPLETE,7.0,2024-01-01 09:11:00,100
A,visit,START,8.0,2024-01-02 09:00:00,100
A,visit,COMPLETE,8.0,2024-01-02 19:00:00,100
A,visit,COMPLETE,9.0,2024-01-03 09:00:00,100
A,YES,COMPLETE,9.0,2024-01-04 08:00:00,100
B,NEW,COMPLETE,99.0,2024-01-01 08:00:00,200
B,call,START,7.0,2024-01-01 10:00:00,200
B,NO,COMPLETE,99.0,2024-01-05 08:00:00,200
C,NEW,COMPLETE,99.0,2024-01-03 08:00:00,300
C,NEW,COMPLETE,99.0,2024-01-03 09:00:00,300
"""


def event_history(tmp_path: Path, text: str = LOG, **options: Any) -> History:
    file = tmp_path / "log.csv"
    file.write_text(text, encoding="utf-8")
    return read_history(file, parse_mapping(EVENTS), **options)


def test_an_event_log_becomes_visits_with_work_and_workers(tmp_path: Path) -> None:
    history = event_history(tmp_path)
    visits = history.visits.set_index(["id", "stage"])
    assert visits["outcome"].to_dict() == {
        ("A", "lead"): "advanced",
        ("B", "lead"): "lost",
        ("C", "lead"): "open",
        ("A", "offer"): "advanced",
    }
    assert visits["rep"].fillna("-").to_dict() == {
        ("A", "lead"): "7",
        ("B", "lead"): "7",
        ("C", "lead"): "-",
        ("A", "offer"): "8",
    }
    assert visits.loc[("A", "lead"), "hands_on_ms"] == 600_000
    assert pd.isna(visits.loc[("A", "offer"), "hands_on_ms"])
    assert visits.loc[("A", "offer"), "workers"] == 2
    assert visits.loc[("A", "offer"), "decided_by"] == "9"
    assert visits.loc[("A", "lead"), "left"] == visits.loc[("A", "offer"), "entered"]
    deals = history.opportunities.set_index("id")
    assert deals["outcome"].to_dict() == {"A": "won", "B": "lost", "C": "open"}
    assert deals["value_minor"].to_dict() == {"A": 10_000, "B": 20_000, "C": 30_000}
    counts = {finding.kind: finding.count for finding in history.quality}
    assert counts["too_long"] == 1
    assert counts["no_start"] == 1
    assert counts["no_completion"] == 1
    assert counts["repeated_stage"] == 1
    assert counts["shared"] == 1
    assert counts["automatic"] == 5


def test_an_event_log_on_an_earlier_data_date_has_open_cases(tmp_path: Path) -> None:
    history = event_history(tmp_path, snapshot="2024-01-02")
    assert history.opportunities.set_index("id")["outcome"].to_dict() == {"A": "open", "B": "open"}
    assert history.visits["outcome"].tolist() == ["advanced", "open", "open"]
    assert history.found("after_snapshot").count == 5
    with pytest.raises(InputRefused, match="before the first event"):
        event_history(tmp_path, snapshot="2023-01-02")


def test_strange_courses_are_counted_and_kept_in_order(tmp_path: Path) -> None:
    text = (
        LOG.split("\n")[0]
        + """
A,OFFER,COMPLETE,7,2024-01-01 08:00:00,1
A,NEW,COMPLETE,7,2024-01-02 08:00:00,1
B,OFFER,COMPLETE,7,2024-01-02 08:00:00,1
B,NO,COMPLETE,7,2024-01-03 08:00:00,1
B,YES,COMPLETE,7,2024-01-04 08:00:00,1
C,NEW,COMPLETE,7,2024-01-01 08:00:00,1
C,NO,COMPLETE,7,2024-01-02 08:00:00,1
C,OFFER,COMPLETE,7,2024-01-03 08:00:00,1
D,YES,COMPLETE,7,2024-01-03 08:00:00,1
"""
    )
    history = event_history(tmp_path, text)
    counts = {finding.kind: finding.count for finding in history.quality}
    assert (counts["backward"], counts["skipped_stage"], counts["contradiction"]) == (1, 1, 1)
    assert (counts["after_end"], counts["no_stage"]) == (1, 1)
    assert (history.visits["left"].dropna() >= history.visits["entered"][history.visits["left"].notna()]).all()
    assert history.opportunities.set_index("id")["outcome"].to_dict() == {"A": "open", "B": "lost", "C": "lost"}


def test_a_bare_log_of_case_activity_and_time_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "bare.csv"
    file.write_text("case,what,when\nA,NEW,2024-01-01\nA,OFFER,2024-01-03\nB,NEW,2024-01-02\n", encoding="utf-8")
    columns = {"id": "case", "activity": "what", "time": "when"}
    history = read_history(file, parse_mapping({**EVENTS, "columns": columns}))
    assert history.visits["outcome"].tolist() == ["advanced", "open", "open"]
    assert history.visits["rep"].isna().all()
    assert history.opportunities["outcome"].tolist() == ["open", "open"]
    assert history.work.empty
    assert history.opportunities["value_minor"].isna().all()


def test_a_log_without_known_stages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no event is a stage"):
        event_history(tmp_path, LOG.replace("NEW", "X").replace("OFFER", "Y"))


def test_automatic_closings_pile_up_and_smooth_endings_do_not() -> None:
    smooth = [day / 10 for day in range(600) for _ in range(2)]
    assert pile_up(pd.Series(smooth).to_numpy()) is None
    assert pile_up(pd.Series([*smooth, *[31.4] * 200]).to_numpy()) == (31, 220)


def test_equal_options_give_equal_exports_and_other_seeds_others(tmp_path: Path) -> None:
    for name, write in (("m", write_opportunities), ("e/events.csv.gz", write_events)):
        one = read_bytes(write(tmp_path / "1" / name, 300, seed=5).path)
        two = read_bytes(write(tmp_path / "2" / name, 300, seed=5).path)
        other = read_bytes(write(tmp_path / "3" / name, 300, seed=6).path)
        assert one == two
        assert one != other


def read_bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else (path / "sales_pipeline.csv").read_bytes()


def test_an_invented_export_is_read_completely(tmp_path: Path) -> None:
    history = read_history(write_opportunities(tmp_path, rows=500).path, "maven")
    assert len(history.opportunities) == 500
    assert {file.name for file in history.source_files} == {
        "sales_pipeline.csv",
        "sales_teams.csv",
        "accounts.csv",
        "products.csv",
    }
    assert history.opportunities[["team", "region"]].notna().all().all()
    assert "only open rows lack it" in history.found("missing_account").consequence
    assert history.products["list_price_minor"].tolist()[0] == 12_000
    with pytest.raises(InputRefused, match="plant a smaller spread"):
        write_opportunities(tmp_path / "x", rep_spread_points=60)


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    raw = bytearray(gzip.compress("\n".join([HEADER, *(f"{n},{n * n},{n**3}" for n in range(400))]).encode()))
    raw[40:200:7] = bytes(255 - byte for byte in raw[40:200:7])
    path = tmp_path / "deals.csv.gz"
    path.write_bytes(bytes(raw))
    assert "must be a whole gzip file" in refusal(path, rules())


@pytest.mark.parametrize("year", ["0001", "1600", "2300", "9999"])
def test_years_beyond_reach_are_bad_dates(year: str, tmp_path: Path) -> None:
    row = f"9,陈立,赢单,{year}-01-05,{year}-02-01,5"
    assert f"line 5 '{year}-01-05' (1 of 4 rows): must be a date" in refusal(written(tmp_path, [*GOOD, row]), rules())


def test_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    whole, cut, charts = tmp_path / "whole.xlsx", tmp_path / "cut.xlsx", tmp_path / "charts.xlsx"
    pd.DataFrame([row.split(",") for row in GOOD], columns=HEADER.split(",")).to_excel(whole, index=False)
    with zipfile.ZipFile(whole) as good, zipfile.ZipFile(cut, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name)[: 200 if "sheet1" in name else None])
    book = openpyxl.Workbook()
    book.create_chartsheet("chart")
    book.remove(book.worksheets[0])
    book.save(charts)
    for path in (cut, charts):
        assert "must be an Excel workbook" in refusal(path, rules())


def test_a_workbook_that_states_too_small_a_size_is_read_whole(tmp_path: Path) -> None:
    plain, stated = tmp_path / "plain.xlsx", tmp_path / "stated.xlsx"
    pd.DataFrame([row.split(",") for row in GOOD], columns=HEADER.split(",")).to_excel(plain, index=False)
    with zipfile.ZipFile(plain) as good, zipfile.ZipFile(stated, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name).replace(b'<dimension ref="A1:F4"', b'<dimension ref="A1:F3"'))
    same(read_history(plain, rules()), read_history(stated, rules()))


@pytest.mark.parametrize("sign", [";", "\t"])
def test_another_delimiter_is_one_problem(sign: str, tmp_path: Path) -> None:
    path = written(tmp_path, [row.replace(",", sign) for row in GOOD], header=HEADER.replace(",", sign))
    told = refusal(path, rules()).splitlines()
    assert len(told) == 2
    assert f"but {sign!r} does -> set `delimiter: {sign!r}` in the mapping file" in told[1]
    assert read_history(path, rules(delimiter=sign)).source_files[0].rows == 3

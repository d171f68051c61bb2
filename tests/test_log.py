"""The canonical log: its order, its fields, and what each kind of row tells."""

from __future__ import annotations

import random

import numpy as np
import pytest

from scenarios.files import from_document
from sim.log import FIELDS, LOG_DTYPE, Kind, canonical, in_order, table_of
from sim.run import simulate_logs


def scenario():
    return from_document(
        {
            "name": "log",
            "calendar": {"start": "2026-01-01", "end": "2026-03-01"},
            "regions": [{"id": "r"}],
            "teams": [{"id": "t", "region": "r"}],
            "stages": [
                {
                    "id": "a",
                    "effort_hours": {"family": "exponential", "mean": 2},
                    "conversion": 0.5,
                    "patience_days": {"family": "exponential", "mean": 4},
                    "delay_days": {"family": "exponential", "mean": 2},
                },
                {"id": "b", "effort_hours": {"family": "exponential", "mean": 2}, "conversion": 0.5},
            ],
            "sources": [{"id": "web", "leads_per_year": 900}],
            "reps": [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t", "leaves": "2026-02-02"}],
        }
    )


def test_rows_sort_by_time_kind_entity_visit_stage_whatever_the_order_of_writing():
    rows = [
        (5, int(Kind.START), 7, 0, 0, 1, -1, 3, 9),
        (5, int(Kind.END), 2**64 - 1, 0, 0, 1, -1, 3, 9),
        (5, int(Kind.END), 7, 1, 0, 1, -1, 3, 9),
        (5, int(Kind.END), 7, 0, 1, 1, -1, 3, 9),
        (5, int(Kind.END), 7, 0, 0, 1, -1, 3, 9),
        (-4, int(Kind.TRAINED), 9, 0, -1, 0, -1, 0, 0),
    ]
    table = canonical(rows)
    assert table.dtype == LOG_DTYPE
    assert table["time"].tolist() == [-4, 5, 5, 5, 5, 5]
    assert table["stage"].tolist() == [-1, 0, 1, 0, 0, 0]
    assert table["entity"].tolist() == [9, 7, 7, 7, 2**64 - 1, 7]
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert (canonical(rows) == table).all()


@pytest.mark.parametrize("choices", [1, 2, 3, 1000])
def test_a_table_of_the_compiled_engine_comes_into_the_same_order(choices):
    """Few choices a field give rows alike in many fields, whole rows among them."""
    draw = np.random.default_rng(choices)
    for count in (0, 1, 2, 300):
        rows = [tuple(draw.integers(-1, choices, len(FIELDS)).tolist()) for _ in range(count)]
        rows = [(time, abs(kind) % 28, abs(entity), *rest) for time, kind, entity, *rest in rows]
        assert in_order(table_of(rows)).tobytes() == canonical(rows).tobytes()
        assert np.array_equal(in_order(canonical(rows)), canonical(rows))


def test_leads_become_objects_when_asked_for(monkeypatch):
    (log,) = simulate_logs(scenario())
    (same,) = simulate_logs(scenario(), engine="simpy")
    assert len(log.leads) == len(same.leads)  # without any object
    with monkeypatch.context() as patch:
        patch.setattr("sim.compiled.leads.Lead", None)
        with pytest.raises(TypeError):
            dict(log.leads)
    assert log.leads == same.leads


def test_an_empty_log_is_a_table():
    assert canonical([]).dtype == LOG_DTYPE
    assert len(canonical([])) == 0


def test_every_field_is_described_and_kinds_are_never_reused():
    assert LOG_DTYPE.names == tuple(FIELDS)
    assert all(text for _, text in FIELDS.values())
    assert [kind.value for kind in Kind] == list(range(1, 28))
    assert Kind.END == 1
    assert Kind.BOOK == 17
    assert Kind.TRAINED == 24


def test_the_engine_writes_the_canonical_order_and_only_inside_the_horizon():
    log = simulate_logs(scenario(), seed=4)[0]
    rows = log.rows
    keys = [tuple(row)[:5] for row in rows[["time", "kind", "entity", "visit", "stage"]].tolist()]
    assert keys == sorted(keys)
    assert rows["time"].min() >= 0
    assert rows["time"].max() < 59 * 86_400_000


def test_rows_of_one_service_tell_one_story():
    log = simulate_logs(scenario(), seed=4)[0]

    def by_place(kind: Kind) -> dict[tuple[int, int, int], np.void]:
        return {(int(row["entity"]), int(row["visit"]), int(row["stage"])): row for row in log.of(kind)}

    entered, begun, ended = by_place(Kind.ENTER), by_place(Kind.START), by_place(Kind.END)
    assert len(ended) > 60
    for place, row in begun.items():
        assert row["time"] - row["value"] == entered[place]["time"]
        assert row["time"] < entered[place]["value"], "before the deadline"
        if place in ended:
            assert ended[place]["time"] == row["extra"]
            assert ended[place]["value"] == row["time"]
            assert ended[place]["rep"] == row["rep"]
            assert 0 < ended[place]["extra"] <= row["extra"] - row["time"]
    for place, row in by_place(Kind.COLD).items():
        assert place not in begun
        assert row["time"] == entered[place]["value"]
        assert row["extra"] == row["time"] - entered[place]["time"]


def test_a_rep_works_on_one_task_at_a_time():
    log = simulate_logs(scenario(), seed=4)[0]
    for rep in (0, 1):
        rows = log.of(Kind.START)
        rows = rows[rows["rep"] == rep]
        assert len(rows) > 20
        assert (rows["time"][1:] >= rows["extra"][:-1]).all()


def test_work_of_a_departed_rep_ends_before_the_leaving():
    log = simulate_logs(scenario(), seed=4)[0]
    gone = log.of(Kind.LEAVE)["time"][0]
    rows = log.of(Kind.START)
    assert rows["extra"][rows["rep"] == 1].max() <= gone


def test_leads_are_remembered():
    log = simulate_logs(scenario(), seed=4)[0]
    assert set(log.leads) == set(log.of(Kind.ARRIVE)["entity"].tolist())
    assert all(lead.entity == entity for entity, lead in log.leads.items())

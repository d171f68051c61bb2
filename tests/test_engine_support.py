"""Work that needs an expert together with the rep."""

from __future__ import annotations

import numpy as np

from small_worlds import DAY, HOUR, THREE, deals, exponential, fixed, stage, started, the_log, world


def test_a_rep_turns_to_other_work_while_support_is_taken():
    scenario = world(
        reps=THREE[:2],
        stages=[stage(id="plain"), stage(support={"resource": "expert", "effort_hours": fixed(10)})],
        support=[{"id": "expert", "people": 1}],
        pipeline=[
            *deals(1, owner="ann"),
            *({**deal, "id": "b" + deal["id"]} for deal in deals(1, owner="bob")),
            {"id": "zz", "stage": "plain", "region": "r", "owner": "ann", "created": "2026-01-01"},
            {"id": "yy", "stage": "plain", "region": "r", "owner": "bob", "created": "2026-01-01"},
        ],
    )
    log = the_log(scenario)
    joint = started(log, 1)
    # One expert, ten hours for each: supported tasks begin ten hours apart, plain ones do not wait for them.
    assert np.diff(joint["time"] // HOUR).tolist() == [10, 10, 10]
    assert joint["time"][0] <= HOUR
    assert started(log, 0)["time"].max() <= HOUR


def test_support_is_never_over_capacity_and_never_deadlocks():
    scenario = world(
        calendar={"hours": ["09:00-17:00"]},
        reps=[{"id": f"r{i}", "team": "t"} for i in range(6)],
        stages=[
            stage(id="one", effort_hours=exponential(1), support={"resource": "expert", "effort_hours": fixed(3)}),
            stage(id="two", effort_hours=exponential(1), support={"resource": "lawyer", "effort_hours": fixed(2)}),
        ],
        support=[{"id": "expert", "people": 2}, {"id": "lawyer", "people": 1, "selling_share": 0.5}],
        sources=[{"id": "web", "leads_per_year": 900}],
    )  # fmt: skip
    log = the_log(scenario)
    # A working day has eight hours, so hours of work since the start are known from the clock.
    for position, people, hours in ((0, 2, 3.0), (1, 1, 4.0)):
        rows = started(log, position)
        assert len(rows) > 500
        begun = np.sort(rows["time"] // DAY * 8 * HOUR + np.clip(rows["time"] % DAY - 9 * HOUR, 0, 8 * HOUR))
        assert (begun[people:] - begun[:-people] >= hours * HOUR - 1).all()


def test_support_of_other_hours_loses_no_wake_up():
    """The expert comes at noon while the rep is at lunch: the work begins when the rep is back."""
    scenario = world(
        calendar={"hours": ["09:00-12:00", "13:00-18:00"], "end": "2026-02-01"},
        regions=[{"id": "r"}, {"id": "noon", "hours": ["12:30-15:00"]}],
        stages=[stage(support={"resource": "expert", "effort_hours": fixed(1)})],
        support=[{"id": "expert", "people": 1, "region": "noon"}],
        pipeline=deals(3, owner="ann"),
    )
    assert [tick / HOUR for tick in started(the_log(scenario))["time"].tolist()] == [13, 14, 24 + 13]

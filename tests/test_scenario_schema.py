"""The vocabulary: everything that a scenario must be able to say has its field, and editors get its schema."""

from __future__ import annotations

import json
import typing
from typing import Any

import pytest
from pydantic import BaseModel

from scenarios import goals, market
from scenarios.base import Minor
from scenarios.distributions import Distribution
from scenarios.files import from_document, json_schema, load
from scenarios.plan import TABLES, row_columns
from scenarios.reserved import reserved_parts
from scenarios.scenario import Scenario

VOCABULARY = {
    "start and end": "calendar.start calendar.end",
    "reporting period": "calendar.reporting",
    "fiscal years and 4-4-5": "calendar.fiscal calendar.fiscal_year_start_month",
    "time zone, per region": "calendar.timezone regions.timezone",
    "working hours, per region": "calendar.hours regions.hours",
    "weekend, per region": "calendar.workdays regions.workdays",
    "holidays, per region": "calendar.holidays regions.holidays",
    "working Saturdays, per region": "calendar.working_days regions.working_days",
    "customers' clocks pause": "calendar.customer_pauses.first calendar.customer_pauses.last",
    "selling share of paid hours": "calendar.selling_share",
    "personal leave": "absences.rep absences.first absences.last",
    "skills as named dimensions": "skills.dimensions skills.reference",
    "levels as profiles": "skills.levels.skills skills.levels.effort_factor",
    "cost of people": "skills.levels.cost_per_year reps.cost_per_year",
    "skill moves conversion and effort": "skills.conversion_logit_per_point skills.effort_log_per_point",
    "training saturates": "skills.training.max_gain_points skills.training.hours_scale",
    "learning ability scales training": "skills.training.learning_skill",
    "training takes selling time": "skills.training.session_hours skills.training.cost_per_hour",
    "ramp of new hires": "skills.ramp.pace_by_month",
    "stages in order": "stages.id stages.name stages.role",
    "effort and delay": "stages.effort_hours stages.delay_days stages.loss_delay_days",
    "base conversion": "stages.conversion stages.after_win",
    "skill weights": "stages.skill_weights",
    "patience and going cold": "stages.patience_days stages.when_cold",
    "recycling": "stages.recycle.probability stages.recycle.rest_days",
    "activities": "stages.activities",
    "support resources": "stages.support.resource stages.support.effort_hours support.people",
    "lead rates": "sources.leads_per_year sources.first_day sources.last_day",
    "season, also of the lunar year": "sources.season sources.season_follows sources.weekday_factors",
    "over-dispersion": "sources.dispersion",
    "source mixes": "sources.segments sources.regions sources.products",
    "lead quality and cost": "sources.quality_logit sources.value_factor sources.cost_per_lead",
    "segments": "segments.quality_logit segments.value_factor",
    "products": "products.value products.key products.gross_margin",
    "cross-sell": "products.attach.product products.attach.probability tiers.cross_sell",
    "bundles": "bundles.products bundles.price_factor",
    "accounts": "accounts.tier accounts.segment accounts.region accounts.potential accounts.owner",
    "hours of care": "accounts.care_hours tiers.care_hours_per_year account_physics.care_elasticity",
    "repurchase": "tiers.orders_per_year tiers.order_value accounts.orders_per_year tiers.churn_per_year",
    "owner's relationship skill": "account_physics.relationship_skill account_physics.rate_per_relationship_point",
    "handover loss": "account_physics.handover_loss",
    "won leads become accounts": "account_physics.new_customer.orders_per_year",
    "parent and child accounts": "accounts.parent",
    "protected and eligible accounts": "accounts.protected_until accounts.eligible",
    "two years' sales of an account": "accounts.sales_last accounts.sales_before",
    "reps": "reps.team reps.region reps.role reps.level reps.skills reps.hours_per_week",
    "employment": "reps.hired reps.leaves reps.successor transfers.rep transfers.team transfers.first_day",
    "attrition": "reps.attrition_per_year reps.replacement_delay_days",
    "last sales and quota": "reps.last_sales reps.last_quota reps.quota",
    "hand-offs between roles": "roles.id routing.same_rep",
    "credit splits and overlay roles": "credit.shares roles.overlay reps.quota_credit",
    "routing": "routing.policy routing.by_source routing.across_regions",
    "public pool": "routing.return_to_pool_days",
    "queue discipline": "queue",
    "opening pipeline": "pipeline.stage pipeline.created pipeline.entered_stage pipeline.owner pipeline.value",
    "signed value, revenue and cash": "money_basis cash.recognition cash.recognition_months",
    "instalments, delay, collection": "cash.instalments.share cash.delay_days cash.collection_probability",
    "VAT": "vat_included cash.vat_rate",
    "currency and planning rates": "currency planning_rates",
    "motivation": "motivation.give_up_below motivation.coast_above motivation.period_end_push",
    "company and team targets": "goals.targets.metric goals.targets.team goals.targets.first_day",
    "three levels of target": "goals.targets.floor goals.targets.target goals.targets.stretch",
    "targets by formula": "goals.targets.formula.base goals.targets.formula.growth",
    "rounds of commitment": "goals.commitments.round goals.commitments.rep goals.commitments.value",
    "over-assignment and rounding": "allocation.over_assignment allocation.rounding_step",
    "opportunity or person": "allocation.quota_basis allocation.mode",
    "fairness rules": "allocation.rules.tolerance allocation.rules.exempt allocation.rules.enabled",
    "training budget": "allocation.training.budget_hours allocation.training.per_rep_hours",
    "account moves": "allocation.accounts.max_moves allocation.accounts.protect_stages",
    "locks with author and reason": "allocation.locks.path allocation.locks.author allocation.locks.reason",
    "lumpy tenders": "tenders.decided tenders.value tenders.win_probability",
    "cost of sales": "pay.share_at_target pay.accelerators.above_attainment",
    "provenance and what is assumed": "provenance.path provenance.grade provenance.low provenance.high",
    "demo flag, language, data date, seed": "invented language data_date seed schema_version",
}


def has_field(path: str) -> bool:
    models: list[type[BaseModel]] = [Scenario]
    for part in path.split("."):
        having = [model for model in models if part in model.model_fields]
        if not having:
            return False
        models = [inner for model in having for inner in models_in(model.model_fields[part].annotation)]
    return True


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in models_in(part)]


@pytest.mark.parametrize("item", VOCABULARY)
def test_the_vocabulary_has_a_field_for(item: str) -> None:
    assert [path for path in VOCABULARY[item].split() if not has_field(path)] == []


@pytest.mark.parametrize(
    ("values", "annotation"),
    [
        ({"even", "round_robin", "least_loaded", "territory", "skill_based", "owner", "pool"}, ("Routing", "policy")),
        ({"calendar", "4-4-5"}, ("Calendar", "fiscal")),
        ({"week", "month", "quarter"}, ("Calendar", "reporting")),
        ({"lost", "pool"}, ("Stage", "when_cold")),
        ({"measured", "fitted", "prior", "assumed"}, ("Provenance", "grade")),
    ],
)
def test_choices(values: set[str], annotation: tuple[str, str]) -> None:
    model, field = annotation
    assert set(json_schema()["$defs"][model]["properties"][field]["enum"]) == values


def test_every_family_rule_and_form_can_be_told_apart() -> None:
    def tags(union: Any, name: str) -> set[str]:
        return {str(model.model_fields[name].default) for model in models_in(union)}

    families = {"fixed", "exponential", "lognormal", "gamma", "weibull", "uniform", "triangular", "empirical"}
    rules = {
        *("potential_band", "growth", "min_expected_attainment", "min_chance", "workload", "training_floor"),
        *("equal_odds", "spread", "worst_off", "gini", "group_parity"),
    }
    assert tags(Distribution, "family") == families
    assert tags(goals.FairnessRule, "rule") == rules
    assert tags(market.CareResponse, "form") == {"exponential", "adbudg"}


def test_the_default_rules_are_those_of_the_planner() -> None:
    assert [(rule.rule, rule.model_dump(exclude={"rule", "enabled", "exempt"})) for rule in goals.DEFAULT_RULES] == [
        ("potential_band", {"tolerance": 0.25}),
        ("growth", {"floor": 0.0, "cap": 0.25}),
        ("min_chance", {"chance": 0.35}),
        ("workload", {"maximum": 0.95, "minimum": 0.0}),
    ]


def test_plan_tables_have_their_long_form() -> None:
    assert {table: row_columns(table) for table in TABLES} == {
        "targets": ("rep", "metric", "start", "end", "value"),
        "training": ("rep", "skill", "start", "end", "hours"),
        "owners": ("account", "rep", "start"),
        "care": ("account", "hours"),
        "shares": ("source", "rep", "start", "end", "share"),
        "locks": ("path", "value", "author", "reason", "time"),
        "levels": ("rep", "metric", "level", "start", "end", "value"),
    }


def test_the_schema_is_json_and_refers_only_to_what_it_defines() -> None:
    text = json.dumps(json_schema())
    schema = json.loads(text)
    used = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert used <= set(schema["$defs"])
    assert schema["additionalProperties"] is False
    assert "plan" not in schema["properties"]


def test_the_schema_asks_for_sections_only_where_nothing_is_extended() -> None:
    schema = json_schema()
    assert "required" not in schema
    assert schema["if"] == {"not": {"required": ["extends"]}}
    assert schema["then"]["required"] == ["name", "calendar", "regions", "teams", "stages"]


def test_the_schema_shows_defaults_in_the_units_of_files() -> None:
    assert json_schema()["$defs"]["Allocation"]["properties"]["rounding_step"]["default"] == 1000


def accepts(node: Any, value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value fits a schema: the keywords that pydantic writes, no more."""
    if "$ref" in node:
        return accepts(schema["$defs"][node["$ref"].removeprefix("#/$defs/")], value, schema)
    for keyword, check in (("anyOf", any), ("oneOf", any), ("allOf", all)):
        if keyword in node and not check(accepts(part, value, schema) for part in node[keyword]):
            return False
    if "const" in node and value != node["const"]:
        return False
    if "enum" in node and value not in node["enum"]:
        return False
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    kind = node.get("type")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in kinds and not isinstance(value, kinds[kind]):
        return False
    if kind in ("number", "integer"):
        whole = kind == "number" or isinstance(value, int)
        low, high = node.get("minimum", value), node.get("maximum", value)
        if not is_number or not whole or not low <= value <= high:
            return False
        if not node.get("exclusiveMinimum", value - 1) < value:
            return False
    if kind == "array":
        if not node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value)):
            return False
        return all(accepts(node.get("items", {}), item, schema) for item in value)
    if kind == "object":
        fields = node.get("properties", {})
        extra = node.get("additionalProperties", True)
        if any(name not in value for name in node.get("required", ())):
            return False
        if extra is False and set(value) - set(fields):
            return False
        inside = {name: fields.get(name, extra if isinstance(extra, dict) else {}) for name in value}
        return all(accepts(inside[name], part, schema) for name, part in value.items())
    return True


def test_the_schema_accepts_what_loads_and_refuses_what_does_not() -> None:
    schema = json_schema()
    document = load("starter").document()
    assert accepts(schema, document, schema)
    assert accepts(schema, load("starter").brief_document(), schema)
    assert accepts(schema, {"extends": "starter", "changes": [{"set": "seed", "to": 5}, {"remove": "reps.E1"}]}, schema)
    wrong: list[dict[str, Any]] = [
        {"acounts": []},
        {"seed": -1},
        {"stages": [document["stages"][0] | {"conversion": 45}]},
        {"stages": [document["stages"][0] | {"effort_hours": {"family": "lognorm", "mean": 1}}]},
        {"reps": [{"id": "E1"}]},
        {"sources": [document["sources"][0] | {"season": [1, 2]}]},
        {"goals": {"targets": [{"metric": "revnue", "target": 1}]}},
        {"changes": [{"set": "seed", "by": 5}]},
    ]
    for part in wrong:
        assert not accepts(schema, document | part, schema), part


def test_documents_read_back_as_the_same_scenario() -> None:
    scenario = load("starter")
    assert from_document(scenario.document()) == scenario
    assert from_document(scenario.brief_document()) == scenario
    assert from_document(scenario.document()).fingerprint() == scenario.fingerprint()


def test_brief_documents_keep_the_words_that_tell_kinds_apart() -> None:
    data = load("starter").document() | {
        "allocation": {"rules": [{"rule": "workload"}, {"rule": "growth", "floor": None}, {"rule": "min_chance"}]},
        "tiers": [*load("starter").document()["tiers"]],
    }
    data["accounts"][0]["care_response"] = {"form": "exponential", "ceiling": 900000, "rate_per_hour": 0.02}
    scenario = from_document(data)
    brief = scenario.brief_document()
    assert brief["allocation"]["rules"] == [
        {"rule": "workload"},
        {"rule": "growth", "floor": None},
        {"rule": "min_chance"},
    ]
    assert from_document(brief) == scenario


def test_default_money_is_money() -> None:
    """A default that were a plain number would be taken for currency units when handed on, and grow a hundredfold."""
    step = goals.Allocation().rounding_step
    assert isinstance(step, Minor)
    assert goals.Allocation(rounding_step=step).rounding_step == step == 1_000_00


def test_fingerprints_see_the_world() -> None:
    world = load("starter")
    assert len({world.fingerprint(), load("starter", ["seed=1"]).fingerprint()}) == 2
    assert load("starter").fingerprint() == world.fingerprint()


def test_reserved_parts_are_named_for_the_engines_to_refuse() -> None:
    changes = [
        "transfers=[{rep: E1, team: South, first_day: 2026-06-01}]",
        "roles=[{id: rep, overlay: true}]",
    ]
    found = [problem.where for problem in reserved_parts(load("starter", changes))]
    assert sorted(found) == [
        "roles.rep.overlay",
        "transfers.0",
    ]
    assert list(reserved_parts(load("starter"))) == []

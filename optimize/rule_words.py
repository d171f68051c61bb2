"""Rules in words, English and Chinese: what they are called, what they say, in which unit they are loosened."""

from __future__ import annotations

from collections.abc import Collection

from optimize.easing import tightest
from optimize.floors_told import floor_named, floor_size, is_floor
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Programme
from scenarios.errors import Said
from scenarios.goals import FairnessRule, GiniBound, Spread, TrainingFloor, WorstOff

WORDS = {
    "potential_band": "quota-to-potential range",
    "growth_cap": "growth cap",
    "growth_floor": "growth floor",
    "min_expected_attainment": "minimum capped attainment",
    "min_chance": "minimum chance to make quota",
    "spread": "largest difference in quota / potential",
    "gini": "Gini index of quota / potential",
    "worst_off": "capped attainment of the worst-off",
    "equal_odds": "range of the chances to make quota",
    "group_parity_team": "quota / potential of teams against the company's",
    "group_parity_region": "quota / potential of regions against the company's",
    "group_parity_tenure": "quota / potential by tenure against the company's",
    "group_parity_level": "quota / potential of levels against the company's",
    "workload_maximum": "maximum workload",
    "workload_minimum": "minimum workload",
    "training_floor": "training hours each rep gets at least",
    "training_budget": "training budget",
    "training_cap": "most training hours of a rep",
    "training_money": "money for training",
    "trainer_capacity": "hours that trainers can give in a period",
    "account_moves": "most account moves",
    "accounts_per_rep": "most accounts of a rep",
    "care_budget": "care hours to hand out",
    "tier_most": "most accounts of tier {} of a rep",
    "tier_least": "least accounts of tier {} of a rep",
    "moves_in": "most accounts that come to a team",
    "moves_out": "most accounts that leave a team",
    "same_region": "accounts stay within their region",
    "keeps_team": "accounts stay within the team of today's owner",
    "reserved": "accounts reserved by the rule {}",
    "lead_share_least": "least share of a source's new leads",
    "lead_share_most": "most share of a source's new leads",
    "lead_share_change": "most change of a share of new leads",
}
MONEY = "of the currency"
UNITS = {
    "potential_band": ("percentage points", 0.01),
    "growth_cap": ("percentage points", 0.01),
    "growth_floor": ("percentage points", 0.01),
    "min_expected_attainment": ("percentage points", 0.01),
    "min_chance": ("percentage points", 0.01),
    "spread": ("hundredths of quota / potential", 0.01),
    "gini": ("hundredths of the index", 0.01),
    "worst_off": ("percentage points", 0.01),
    "equal_odds": ("percentage points", 0.01),
    "group_parity_team": ("percentage points", 0.01),
    "group_parity_region": ("percentage points", 0.01),
    "group_parity_tenure": ("percentage points", 0.01),
    "group_parity_level": ("percentage points", 0.01),
    "workload_maximum": ("percentage points", 0.01),
    "workload_minimum": ("percentage points", 0.01),
    "training_floor": ("hours", 1.0),
    "training_budget": ("hours", 1.0),
    "training_cap": ("hours", 1.0),
    "training_money": (MONEY, 1.0),
    "trainer_capacity": ("hours", 1.0),
    "account_moves": ("moves", 1.0),
    "accounts_per_rep": ("accounts", 1.0),
    "care_budget": ("hours a year", 1.0),
    "tier_most": ("accounts", 1.0),
    "tier_least": ("accounts", 1.0),
    "moves_in": ("accounts", 1.0),
    "moves_out": ("accounts", 1.0),
    "same_region": ("accounts against it", 1.0),
    "keeps_team": ("accounts against it", 1.0),
    "reserved": ("accounts against it", 1.0),
    "lead_share_least": ("percentage points", 0.01),
    "lead_share_most": ("percentage points", 0.01),
    "lead_share_change": ("percentage points", 0.01),
}
"""How each rule's loosening is told: unit, and how much of the rule's own number one of it is."""
CHINESE = {
    "potential_band": "公平区间（指标潜力比）",
    "growth_cap": "增幅上限",
    "growth_floor": "增幅下限",
    "min_expected_attainment": "最低封顶达成率",
    "min_chance": "最低达标概率",
    "spread": "指标潜力比的最大差距",
    "gini": "指标潜力比的基尼系数",
    "worst_off": "最弱势群体的封顶达成率",
    "equal_odds": "达标概率的区间宽度",
    "group_parity_team": "各团队指标潜力比与公司之比",
    "group_parity_region": "各区域指标潜力比与公司之比",
    "group_parity_tenure": "各司龄组指标潜力比与公司之比",
    "group_parity_level": "各职级指标潜力比与公司之比",
    "workload_maximum": "工作负荷率上限",
    "workload_minimum": "工作负荷率下限",
    "training_floor": "人均培训工时下限",
    "training_budget": "培训预算",
    "training_cap": "人均培训工时上限",
    "training_money": "培训经费",
    "trainer_capacity": "讲师每期可授课时",
    "account_moves": "客户调整数上限",
    "accounts_per_rep": "人均客户数上限",
    "care_budget": "可分配的客户服务工时",
    "tier_most": "人均 {} 级客户数上限",
    "tier_least": "人均 {} 级客户数下限",
    "moves_in": "团队转入客户数上限",
    "moves_out": "团队转出客户数上限",
    "same_region": "客户不跨区域",
    "keeps_team": "客户不跨现负责人所在团队",
    "reserved": "规则 {} 专属的客户",
    "lead_share_least": "新线索份额下限",
    "lead_share_most": "新线索份额上限",
    "lead_share_change": "新线索份额变动上限",
}
UNITS_CHINESE = {
    "percentage points": "个百分点",
    "hundredths of quota / potential": "个百分之一（指标潜力比）",
    "hundredths of the index": "个百分之一（基尼系数）",
    "hours": "小时",
    MONEY: "（币种单位）",
    "moves": "次",
    "accounts": "家客户",
    "hours a year": "小时/年",
    "accounts against it": "家客户的例外",
}

SHOWN = 6
"""Names that are told of all whom a rule is about."""


def words(name: str) -> str:
    """A row block's rule in English words: what follows its kind names which of several it is."""
    return said(name).english


def said(name: str) -> Said:
    """A row block's rule in words."""
    kind, _, ending = name.partition(" ")
    return Said(WORDS[kind].format(ending), CHINESE[kind].format(ending))


def unit_of(name: str) -> tuple[str, float] | None:
    """How a rule's loosening is told; None for totals, locks and parts, which have no number of their own."""
    return UNITS.get(name.partition(" ")[0])


def loosened_by(rule: str) -> str | None:
    """One of what a rule's value of loosening is told for; sums of quotas are told for money."""
    unit = unit_of(rule)
    return unit[0] if unit else MONEY if rule in ("company_total", "team_total") else None


def size_of(name: str) -> float | None:
    """How much of a rule's own number one unit of it is; None for blocks that have no number."""
    if is_floor(name):
        return floor_size(name)
    unit = unit_of(name)
    return None if unit is None else unit[1]


def amount_said(value: float, name: str) -> Said:
    """So many of a rule's units, in words."""
    unit, _ = unit_of(name) or ("", 1.0)
    if unit.startswith(("accounts", "moves")):
        whole = round(value)
        one = unit.replace("s", "", 1) if whole == 1 else unit
        return Said(f"{whole} {one}", f"{whole} {UNITS_CHINESE[unit]}")
    return Said(f"{value:.2f} {unit}", f"{value:.2f} {UNITS_CHINESE.get(unit, unit)}")


def named(problem: AllocationProblem, programme: Programme, name: str, first: Collection[str] = ()) -> Said:
    """A rule with its limit and whom it is about.

    Args:
        first: subjects that stand in the way, which come before the others; these are then only counted.
    """
    if is_floor(name):
        return floor_named(problem, name)
    subjects = dict.fromkeys(subject for rows in programme.rows if rows.rule == name for subject in rows.subjects)
    if len(subjects) > 1:
        # What a rule says of all people together is about them.
        subjects.pop("company", None)
    shown = [subject for subject in subjects if subject in first] or list(subjects)
    shown, left = shown[:SHOWN], len(subjects) - len(shown[:SHOWN])
    what, limit = said(name), limit_said(problem, name)
    english, chinese = ", ".join(shown), "、".join("公司" if one == "company" else one for one in shown)
    if left:
        english, chinese = f"{english} and {left} more", f"{chinese}，另有 {left} 项"
    return Said(f"{what.english}: {limit.english} ({english})", f"{what.chinese}：{limit.chinese}（{chinese}）")


def _care_said(problem: AllocationProblem) -> Said:
    """Hours of care to hand out, with what locks take of them."""
    budget, locks = problem.accounts.care_budget or 0.0, problem.locks
    taken = [(f"care.{problem.accounts.ids[a]}", hours) for a, hours in locks.care.items()]
    told = "; ".join(f"{path} = {hours:g}, {locks.author[path]}" for path, hours in taken if path in locks.author)
    if not taken:
        return Said(f"{budget:g} hours a year", f"{budget:g} 小时/年")
    whole = sum(locks.care.values())
    return Said(
        f"{budget:g} hours a year, of which locks take {whole:g}: {told}",
        f"{budget:g} 小时/年，其中锁定值占 {whole:g}：{told}",
    )


def limit_said(problem: AllocationProblem, name: str) -> Said:
    """A rule's limit as a person says it."""
    offer, training, leads = problem.accounts, problem.training, problem.leads
    money, moves, most = (training.money or 0) / 100, offer.max_moves, offer.max_per_rep
    fixed = {
        "training_budget": (f"{training.budget:g} hours", f"{training.budget:g} 小时"),
        "training_cap": (f"{training.cap:g} hours", f"{training.cap:g} 小时"),
        "training_money": (f"{money:,.2f}", f"{money:,.2f}"),
        "trainer_capacity": (f"{training.capacity or 0:g} hours", f"{training.capacity or 0:g} 小时"),
        "account_moves": (f"{moves}", f"{moves}"),
        "accounts_per_rep": (f"{most}", f"{most}"),
        "lead_share_least": (f"{leads.least * 100:.4g} %", f"{leads.least * 100:.4g} %"),
        "lead_share_most": (f"{leads.most * 100:.4g} %", f"{leads.most * 100:.4g} %"),
        "lead_share_change": (f"{leads.change * 100:.4g} points", f"{leads.change * 100:.4g} 个百分点"),
    }
    if name in fixed:
        return Said(*fixed[name])
    if name == "care_budget":
        return _care_said(problem)
    for limit in offer.limits:
        if limit.rule == name:
            each = zip(limit.subjects, limit.limit.tolist(), strict=True)
            same = len(set(limit.limit.tolist())) == 1
            text = f"{limit.limit[0]:g}" if same else ", ".join(f"{one} {value:g}" for one, value in each)
            return Said(text, text)
    if name in offer.barred:
        count = len(offer.barred[name].rep)
        return Said(f"{count} pairs of account and rep left out", f"排除 {count} 个客户与人员组合")
    return _rule_said(tightest(problem, name), name)


def _rule_said(rule: FairnessRule, name: str) -> Said:
    if isinstance(rule, Spread | GiniBound):
        return Said(f"at most {rule.maximum:g}", f"不超过 {rule.maximum:g}")
    if isinstance(rule, WorstOff):
        least, share = f"{rule.minimum * 100:.4g} %", f"{rule.share * 100:.4g} %"
        return Said(f"{least} for {share} of people", f"{share} 的人员不低于 {least}")
    if isinstance(rule, TrainingFloor):
        return Said(f"{rule.hours:g} hours", f"{rule.hours:g} 小时")
    special = {
        "growth_cap": "cap",
        "growth_floor": "floor",
        "workload_maximum": "maximum",
        "workload_minimum": "minimum",
    }
    if name in special:
        text = f"{getattr(rule, special[name]) * 100:.4g} %"
        return Said(text, text)
    forms = (("tolerance", "± {:.4g} %"), ("share", "{:.4g} %"), ("chance", "{:.4g} %"), ("width", "{:.4g} %"))
    attribute, form = next((a, form) for a, form in forms if hasattr(rule, a))
    text = form.format(getattr(rule, attribute) * 100)
    return Said(text, text)

"""Checks of the market: products, tiers, accounts, open opportunities, tenders."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.errors import Problem
from scenarios.lunar import FIRST_YEAR, LAST_YEAR, unknown_years
from scenarios.paths import join_path
from scenarios.references import World, all_known, unknown


def check_products(world: World) -> Iterator[Problem]:
    """Attached and bundled products exist."""
    for product in world.scenario.products:
        where = join_path("products", product.id, "attach")
        yield from all_known(where, (attached.product for attached in product.attach), "products", world)
        if any(attached.product == product.id for attached in product.attach):
            yield Problem(where, product.id, "a product cannot be attached to itself", "remove it")
    for bundle in world.scenario.bundles:
        yield from all_known(join_path("bundles", bundle.id, "products"), bundle.products, "products", world)
    shares = sum(bundle.share for bundle in world.scenario.bundles)
    if shares > 1 + 1e-9:
        rule = "shares of all bundles together must not exceed 1"
        yield Problem("bundles", f"{shares:g}", rule, "lower some of them")


def check_tiers(world: World) -> Iterator[Problem]:
    """Products that a tier's orders are of or bring along exist, and an account may stay."""
    places = [(join_path("tiers", tier.id), tier) for tier in world.scenario.tiers]
    physics = world.scenario.account_physics
    if physics is not None and physics.new_customer is not None:
        places.append((join_path("account_physics", "new_customer"), physics.new_customer))
    for place, tier in places:
        offered = (attached.product for attached in tier.cross_sell)
        yield from all_known(f"{place}.cross_sell", offered, "products", world)
        yield from all_known(f"{place}.products", tier.products, "products", world)
        if tier.churn_per_year >= 1:
            rule = "must be below 1: at a steady hazard, who is certain to leave is gone at once"
            yield Problem(f"{place}.churn_per_year", f"{tier.churn_per_year:g}", rule, "for example 0.99")
        if tier.products and sum(tier.products.values()) <= 0:
            rule = "a mix needs at least one positive weight"
            yield Problem(f"{place}.products", "all 0", rule, "leave it out if the products are not known")


def check_seasons(world: World) -> Iterator[Problem]:
    """A season that follows the lunar new year needs the new year of every year of the horizon."""
    scenario = world.scenario
    followers = [join_path("sources", source.id) for source in scenario.sources if source.season_follows != "calendar"]
    physics = scenario.account_physics
    if physics is not None and physics.season_follows != "calendar":
        followers.append("account_physics")
    if world.horizon is None:
        return
    missing = unknown_years(*world.horizon)
    for where in followers if missing else ():
        rule = f"needs years from {FIRST_YEAR} to {LAST_YEAR}, but the horizon has {missing[0]}"
        yield Problem(f"{where}.season_follows", "lunar_new_year", rule, "let the season follow the calendar")


def check_accounts(world: World) -> Iterator[Problem]:
    """Accounts have a known tier, region and owner who is there."""
    scenario = world.scenario
    if scenario.accounts and scenario.account_physics is None and "account_physics" not in world.unsure:
        yield Problem("account_physics", "", "is needed where there are accounts", "give at least order_effort_hours")
    reps = {rep.id: rep for rep in scenario.reps}
    for account in scenario.accounts:
        where = join_path("accounts", account.id)
        yield from unknown(f"{where}.tier", account.tier, "tiers", world)
        yield from unknown(f"{where}.region", account.region, "regions", world)
        yield from unknown(f"{where}.segment", account.segment, "segments", world)
        yield from unknown(f"{where}.owner", account.owner, "reps", world)
        yield from all_known(f"{where}.eligible", account.eligible, "reps", world)
        owner = reps.get(account.owner or "")
        if world.horizon is None or owner is None or owner.hired is None or owner.hired <= world.horizon[0]:
            continue
        rule = f"is hired only on {owner.hired}, after the start {world.horizon[0]}"
        yield Problem(f"{where}.owner", owner.id, rule, "name today's owner, or give the rep an earlier hired date")


def check_parents(world: World) -> Iterator[Problem]:
    """Parent accounts exist and form no circle."""
    parents = {account.id: account.parent for account in world.scenario.accounts}
    for account in world.scenario.accounts:
        where = join_path("accounts", account.id, "parent")
        yield from unknown(where, account.parent, "accounts", world)
        seen: set[str] = set()
        above = account.parent
        while above is not None and above not in seen and above != account.id:
            seen.add(above)
            above = parents.get(above)
        if above == account.id:
            yield Problem(where, str(account.parent), "parents form a circle", "clear one of them")


def check_pipeline(world: World) -> Iterator[Problem]:
    """Open opportunities stand at a stage, began in the past and belong to somebody known."""
    after_win = {stage.id for stage in world.scenario.stages if stage.after_win}
    for item in world.scenario.pipeline:
        where = join_path("pipeline", item.id)
        yield from unknown(f"{where}.stage", item.stage, "stages", world)
        yield from unknown(f"{where}.owner", item.owner, "reps", world)
        yield from unknown(f"{where}.source", item.source, "sources", world)
        yield from unknown(f"{where}.region", item.region, "regions", world)
        yield from unknown(f"{where}.segment", item.segment, "segments", world)
        yield from unknown(f"{where}.product", item.product, "products", world)
        yield from unknown(f"{where}.account", item.account, "accounts", world)
        if item.stage in after_win:
            rule = "an open opportunity is not won yet"
            yield Problem(f"{where}.stage", item.stage, rule, "name a stage before the win")
        entered = item.entered_stage or item.created
        if entered < item.created:
            rule = f"must not be before created={item.created}"
            yield Problem(f"{where}.entered_stage", str(entered), rule, "correct one of the dates")
        if world.horizon is not None:
            rule = f"must not be after the start, {world.horizon[0]}"
            if item.created > world.horizon[0]:
                yield Problem(f"{where}.created", str(item.created), rule, "an opening pipeline began before")
            elif entered > world.horizon[0]:
                yield Problem(f"{where}.entered_stage", str(entered), rule, "an opening pipeline began before")


def check_tenders(world: World) -> Iterator[Problem]:
    """Tenders belong somewhere and are decided within the horizon."""
    for tender in world.scenario.tenders:
        where = join_path("tenders", tender.id)
        yield from unknown(f"{where}.owner", tender.owner, "reps", world)
        yield from unknown(f"{where}.region", tender.region, "regions", world)
        yield from unknown(f"{where}.account", tender.account, "accounts", world)
        if world.horizon is not None and not world.horizon[0] <= tender.decided < world.horizon[1]:
            rule = f"must lie inside the horizon {world.horizon[0]} to {world.horizon[1]}"
            yield Problem(f"{where}.decided", str(tender.decided), rule, "remove the tender")
        if tender.prepared_from is not None and tender.prepared_from >= tender.decided:
            rule = f"must be before the decision on {tender.decided}"
            yield Problem(f"{where}.prepared_from", str(tender.prepared_from), rule, "correct one of the dates")

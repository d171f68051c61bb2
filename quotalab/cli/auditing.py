"""audit: whether a plan is fair, whoever made it."""

from __future__ import annotations

from quotalab.cli import options
from quotalab.cli.terminal import Terminal


def audit(
    scenario: options.World,
    sets: options.Sets = None,
    plan: options.AnyPlan = None,
    replications: options.Replications = options.YEARS,
    seed: options.Seed = None,
    workers: options.Workers = 1,
    output: options.Output = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    language: options.Language = None,
) -> None:
    """Audit the fairness of any plan: against territory, groups and chance, and among feasible plans.

    Simulates the plan, today's if none is given, and says what is unfair beyond chance, who would rather be in whose
    place, and which fairness rules of the scenario the plan breaks.
    """
    with Terminal(as_json=as_json, quiet=quiet, language=language) as terminal:
        from quotalab.fairness import audit_tables, audit_text, fairness_audit
        from quotalab.money_columns import money_facts
        from quotalab.runs import rows, run_folder, run_target, table_hash
        from quotalab.worlds import open_world

        world = open_world(scenario, sets, plan)
        spoken = terminal.speak(language, world.language)
        target = run_target("audit", world, output)
        with terminal.progress("simulating the plan") as progress:
            found = fairness_audit(world, replications=replications, seed=seed, workers=workers, progress=progress)
        tables = audit_tables(found, world.currency)
        facts = {
            "plan": found.plan,
            "flagged": found.flagged,
            "level": found.level,
            "gini_quota_over_potential": found.gini_quota,
            "gini_attainment": found.gini_attainment,
            "share_who_would_rather_be_another": found.envious,
            "notes": list(found.notes),
        }
        settings = options.settings(
            scenario=scenario,
            sets=sets,
            plan=plan,
            replications=replications,
            seed=world.seed if seed is None else seed,
        )
        with run_folder(target, "audit", terminal.watch, settings) as draft:
            draft.about(world)
            for name, table in tables.items():
                draft.sheet(name, table)
                draft.hashes[name] = table_hash(table)
            draft.facts["fairness"] = facts
        terminal.show(
            audit_text(found, spoken),
            {
                "folder": str(target),
                "result_hash": draft.result_hash(),
                **money_facts(world),
                **facts,
                **{name: rows(table) for name, table in tables.items()},
            },
        )
        terminal.hint("written", place=target)

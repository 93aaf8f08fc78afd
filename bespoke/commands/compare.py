"""How are variants of the method compared from the command line? Arm by arm and seed by seed, then one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.experiment import bench, budget_asked
from bespoke.commands.screen import say
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.evaluation.evaluate import check_balances
from bespoke.experiments.ablations import arm_configs, arms_named
from bespoke.experiments.bench import Measured, write_reports
from bespoke.experiments.comparison import compare
from bespoke.experiments.comparison_report import Comparison, as_data, as_markdown, as_page
from bespoke.experiments.protocol import protocol
from bespoke.pages.texts import language_of

NAME = "comparison"


def compare_arms(
    catalogue: str,
    out: Path,
    *,
    arms: str,
    seeds: int,
    minutes: float | None,
    images: str | None,
    preset: str,
    overrides: Sequence[str],
    split: str | None,
    balances: Sequence[float],
    num_pictures: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
) -> bool:
    """Train and measure what is not there yet, and write the comparison; False where training was stopped.

    Raises UserError.
    """
    spoken, names, budget = language_of(language), arms_named(arms), budget_asked("compare", minutes, images)
    if seeds < 1:
        raise UserError(f"--seeds {seeds}: expected 1 or more, and 3 or more for a claim; choose how many")
    asked = check_balances(balances)
    configs = {arm: arm_configs(arm, preset, overrides, seeds) for arm in names}
    every = [config for each in configs.values() for config in each]
    for number, arm in enumerate(names):
        twin = next((other for other in names[:number] if configs[other] == configs[arm]), None)
        if twin:
            raise UserError(f"--arms {arms}: with these settings {arm} is the same as {twin}; leave one of them out")
    with bench(
        "compare",
        catalogue,
        out,
        every,
        budget,
        split=split,
        balances=asked,
        num_pictures=num_pictures,
        language=spoken,
        columns=columns,
        skip_bad=skip_bad,
    ) as table:
        measured: dict[str, list[Measured]] = {arm: [] for arm in names}
        # Seed by seed: broken off, the arms are equally far.
        for number in range(seeds):
            for arm in names:
                config = configs[arm][number]
                name = f"{arm}-{config.seed}"
                say(f"Arm {arm}, seed {config.seed} ({number * len(names) + names.index(arm) + 1} of {len(every)})")
                found = table.measured(name, config)
                if found is None:
                    return False
                measured[arm].append(found)
        rows = compare(measured, table.store, table.judges, table.asked)
        how = protocol(measured[names[0]][0], table.judges, table.plan)
        comparison = Comparison(rows, names, seeds, table.plan, table.judges, how)
        told = as_markdown(comparison, spoken)
        write_reports(out, NAME, data=as_data(comparison), markdown=told, page=as_page(comparison, spoken))
    say(told)
    first = f"{names[0]}-{every[0].seed}"
    say(f"{out / NAME}.html, .md and .json hold the comparison; every model can be used, such as {out / first}")
    return True

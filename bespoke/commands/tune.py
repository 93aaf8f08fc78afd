"""How are settings for a catalogue searched for from the command line? Trial by trial, into a folder that remembers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.experiment import bench, budget_asked
from bespoke.commands.screen import say
from bespoke.config import resolve
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.experiments.bench import write_whole
from bespoke.experiments.protocol import protocol
from bespoke.experiments.search import Search, import_optuna, space_of
from bespoke.experiments.search_report import Tuning, as_data, as_page, best_lines
from bespoke.experiments.texts import TEXTS
from bespoke.pages.texts import fill, language_of

NAME = "search"
BALANCE = 0.5  # of `bespoke generate` unless another is chosen


def tune_settings(
    catalogue: str,
    out: Path,
    *,
    trials: int,
    minutes: float | None,
    images: str | None,
    preset: str,
    overrides: Sequence[str],
    split: str | None,
    num_pictures: int,
    language: str | None,
    columns: Columns,
    skip_bad: bool,
) -> bool:
    """Search until there are so many trials, and write the report; False where training was stopped.

    Raises UserError.
    """
    spoken, budget = language_of(language), budget_asked("tune", minutes, images)
    if trials < 1:
        raise UserError(f"--trials {trials}: expected 1 or more; choose how many sets of values to try")
    if "?" in str(out.resolve()):  # which ends the name of a database
        raise UserError(f"{out}: a search cannot be kept in a folder with a ? in its name; name another --out")
    import_optuna()
    config = resolve(preset, overrides)
    space_of(preset, overrides)  # says what is wrong before anything is made
    with bench(
        "tune",
        catalogue,
        out,
        [config],
        budget,
        split=split,
        balances=(BALANCE,),
        num_pictures=num_pictures,
        language=spoken,
        columns=columns,
        skip_bad=skip_bad,
    ) as table:
        search = Search(table, preset, overrides)
        finished = search.run(trials, say)
        found, standard = search.trials(), search.standard()
        how = standard and protocol(standard.found, table.judges, table.plan)
        tuning = Tuning(found, table.plan, table.asked.split, how, standard.real if standard else ())
        write_whole(out / f"{NAME}.json", (json.dumps(as_data(tuning), indent=1) + "\n").encode("utf-8"))
        write_whole(out / f"{NAME}.html", as_page(tuning, spoken).encode("utf-8"))
    say(fill(TEXTS["front"], spoken))
    for line in best_lines(found, spoken):
        say(f"  {line}")
    say(f"{out / NAME}.html and .json hold the search")
    return finished

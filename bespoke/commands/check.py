"""How is a catalogue checked from the command line? A report for people and one for programs, before any compute."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.folders import claim_folder, free_name
from bespoke.commands.screen import Bar, Rate, say
from bespoke.data import check_texts
from bespoke.data.catalogue import Catalogue
from bespoke.data.check import Report, check
from bespoke.data.check_json import as_data
from bespoke.data.check_page import page
from bespoke.data.check_texts import sentence
from bespoke.data.cleaned import write_cleaned
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.pages.texts import Language, languages_of

PAGE, DATA = "report.html", "report.json"
_MARKS = {True: "+", False: "-"}


def check_catalogue(
    location: str,
    *,
    columns: Columns,
    language: str | None,
    out: Path | None,
    write: Path | None,
) -> Report:
    """Check a catalogue, write the report, and say the verdict. Raises UserError."""
    languages = languages_of(language)
    catalogue = Catalogue.open(location, columns)
    for folder in (out, write):
        if folder is not None:
            check_place(folder, catalogue.location)
    place = free_place(f"check-{catalogue.name}", location) if out is None else out
    for folder in (place, write):
        if folder is not None:
            _check_writable(folder)
    if out is not None and write is not None and out.resolve() == write.resolve():
        raise UserError(f"{out}: given to both --out and --write; name another folder for one of them")
    rate = Rate()
    with Bar("Looking at pictures") as bar:
        report = check(
            catalogue,
            lambda done, total: bar.update(done, total, f"{done:,} pictures, {rate(done):.0f} a second"),
        )
    folder = claim_folder(place)
    try:
        for spoken in languages:
            data = json.dumps(as_data(report, spoken), ensure_ascii=False, indent=2) + "\n"
            for name, text in ((DATA, data), (PAGE, page(report, spoken))):  # names of files may be no text
                named_for(folder / name, spoken, languages).write_text(text, "utf-8", "replace")
    except OSError as error:
        raise UserError(f"{folder}: the report cannot be written ({error.strerror}); name another --out") from error
    spoken = languages[0]
    _tell(report, folder, spoken)
    if write is not None:
        with Bar("Copying pictures") as bar:
            tell = lambda done, total: bar.update(done, total, f"{done:,} pictures")  # noqa: E731
            count = write_cleaned(catalogue, report, claim_folder(write), tell)
        say(check_texts.say("screen.written", spoken, count=count, path=str(write)))
    return report


def named_for(file: Path, language: Language, languages: Sequence[Language]) -> Path:
    """A report's file in one of its languages: the first has the plain name, others say theirs, as report.ja.html."""
    return file if language == languages[0] else file.with_suffix(f".{language}{file.suffix}")


def check_place(folder: Path, location: str) -> None:
    """Raise UserError where `folder` is in use, or inside the catalogue at `location`, in which nothing is changed."""
    check_outside(folder, location)
    if folder.exists():
        claim_folder(folder)


def check_outside(folder: Path, location: str) -> None:
    """Raise UserError where `folder` lies in the catalogue at `location`; one without a name is refused when opened."""
    if location and _is_inside(folder, location):
        raise UserError(f"{folder}: inside the catalogue, which is left as it is; name a folder elsewhere")


def _check_writable(folder: Path) -> None:
    """Raise UserError where `folder` cannot be made, before the time for a whole catalogue is spent."""
    above = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not os.access(above, os.W_OK):
        raise UserError(f"{folder}: {above} may not be written to; name another --out or --write")


def _is_inside(folder: Path, location: str) -> bool:
    return "://" not in location and folder.resolve().is_relative_to(Path(location).resolve())


def free_place(name: str, location: str) -> Path:
    """A folder of that name in the current one, or beside the catalogue where that is inside it."""
    inside = _is_inside(Path(name), location)
    return free_name(Path(location).resolve().with_name(name) if inside else Path(name))


def _tell(report: Report, folder: Path, language: Language) -> None:
    """The verdict, its reasons and what to do, in a few lines."""
    say(f"{report.catalogue}: {check_texts.say('verdict.' + report.verdict.decision, language)}")
    for line in report.verdict.reasons:
        say(f"  {_MARKS[line.good]} {sentence('reason', line, language)}")
    for found in report.left_out:
        say(f"  {_MARKS[False]} {check_texts.left_out(found, language)}")
    for line in report.verdict.advice:
        say(f"  > {sentence('advice', line, language)}")
    say(check_texts.say("screen.report", language, path=str(folder / PAGE)))

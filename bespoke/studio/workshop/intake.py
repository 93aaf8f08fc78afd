"""How does an upload become a version? Everything is looked at and made anew, and then all of it is there, or none.

Runs in a process of its own: python -m bespoke.studio.workshop.intake UPLOAD PART. UPLOAD holds the files as they came,
`names.json` with what their sender called them, and `asked.json`; PART becomes the version's folder. What came of it
stands in UPLOAD/result.json, how far it is in UPLOAD/progress. Knows no Django.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bespoke.data.pictures import SUFFIXES
from bespoke.studio.workshop.asked import Asked
from bespoke.studio.workshop.limits import TABLE_SUFFIXES
from bespoke.studio.workshop.pairing import Shelf
from bespoke.studio.workshop.problems import Problem, RefusedError
from bespoke.studio.workshop.sandbox import Sandbox
from bespoke.studio.workshop.unpacking import Unpacker
from bespoke.studio.workshop.version_files import FILE, ORIGINAL, OWN_COLUMNS, TEXTS, Row, write_rows

NAMES, ASKED, RESULT, PROGRESS = "names.json", "asked.json", "result.json", "progress"
MOST_TOLD = 200  # problems
MEMORY_BYTES = 2 * 2**30  # a zip with millions of names ends here


class File(NamedTuple):
    """One file as it came: what its sender calls it, and where it lies."""

    name: str
    place: Path

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()


class Intake:
    """One upload on its way in."""

    def __init__(self, upload: Path, part: Path, sandbox: Sandbox) -> None:
        self.upload, self.part, self.sandbox = upload, part, sandbox
        self.asked = Asked(**json.loads((upload / ASKED).read_text("utf-8")))
        self.problems: list[Problem] = []  # of single files and rows

    def take_in(self, first_number: int) -> dict[str, Any]:
        """Fill the part folder; the answer is what result.json holds. Raises RefusedError."""
        files = self._unpacked()
        tables = [file for file in files if file.suffix in TABLE_SUFFIXES]
        pictures = [file for file in files if file.suffix in SUFFIXES]
        for file in files:
            if file.suffix not in (*TABLE_SUFFIXES, *SUFFIXES):
                self.problems.append(Problem("unknown_file", file.name))
        if len(tables) != 1:
            raise RefusedError(Problem("two_tables", tables[1].name) if tables else Problem("no_table"))
        captioned = self._paired(self._rows(tables[0]), pictures)
        rows = list(self._remade(pictures, captioned, first_number))
        left_out = list(self.problems)
        if left_out and not self.asked.skip_bad:
            return {"problems": left_out[:MOST_TOLD], "num_problems": len(left_out)}
        if not rows:
            raise RefusedError(Problem("nothing"))
        return {
            "fingerprint": write_rows(self.part, rows),
            "num_pictures": len(rows),
            "left_out": left_out[:MOST_TOLD],
            "num_left_out": len(left_out),
        }

    def _unpacked(self) -> list[File]:
        """All files, those in zips in the zip's stead."""
        names: dict[str, str] = json.loads((self.upload / NAMES).read_text("utf-8"))
        files, unpacker = [], Unpacker()
        for place, name in sorted(names.items()):
            if Path(name).suffix.lower() != ".zip":
                files.append(File(name, self.upload / place))
                continue
            try:
                for inner, found in unpacker.unpack(self.upload / place, self.upload):
                    if isinstance(found, Problem):
                        self.problems.append(found)
                    else:
                        files.append(File(inner, found))
            except RefusedError as error:
                raise RefusedError(error.problem._replace(name=name)) from None
        return files

    def _rows(self, table: File) -> Iterator[tuple[str, list[str], dict[str, str]]]:
        source = self.upload / f"table{table.suffix}"  # readers go by the suffix
        shutil.copyfile(table.place, source)
        target = self.upload / "rows"
        answer = self.sandbox.ask("read", str(source), str(target), self.asked._asdict())
        if "fault" in answer:
            if answer["fault"] in ("deadly", "slow"):  # a table that takes its reader with it
                answer = {"fault": "bad_table"}
            raise RefusedError(Problem.of(answer, table.name))
        with target.open(encoding="utf-8") as lines:
            for line in lines:
                name, texts, attributes = json.loads(line)
                yield name, texts, attributes

    def _paired(
        self, rows: Iterator[tuple[str, list[str], dict[str, str]]], pictures: list[File]
    ) -> dict[int, tuple[list[str], dict[str, str]]]:
        """Captions and attributes by the place of the picture; of two rows for one picture, the captions of both."""
        shelf = Shelf([file.name for file in pictures])
        captioned: dict[int, tuple[list[str], dict[str, str]]] = {}
        for name, texts, attributes in rows:
            found = shelf.find(name)
            if len(found) != 1:
                self.problems.append(Problem("two_files" if found else "no_file", name))
            elif found[0] in captioned:
                before = captioned[found[0]][0]
                before += [text for text in texts if text not in before]
            else:
                captioned[found[0]] = (list(dict.fromkeys(texts)), attributes)
        for place, file in enumerate(pictures):
            if place not in captioned:
                self.problems.append(Problem("no_row", file.name))
        return captioned

    def _remade(
        self, pictures: list[File], captioned: dict[int, tuple[list[str], dict[str, str]]], first_number: int
    ) -> Iterator[Row]:
        """Each picture under a name of ours: its number and the beginning of a hash of its content."""
        number = first_number
        for done, place in enumerate(sorted(captioned)):
            self._tell(done, len(captioned))
            file, (texts, attributes) = pictures[place], captioned[place]
            fresh = self.part / "fresh"
            answer = self.sandbox.ask("remake", str(file.place), str(fresh))
            if "fault" in answer:
                self.problems.append(Problem.of(answer, file.name))
                continue
            digest = hashlib.sha256(fresh.read_bytes()).hexdigest()
            name = f"{number:06d}-{digest[:16]}.{'jpg' if answer['kind'] == 'jpeg' else 'png'}"
            _keep(fresh, self.part / name)
            number += 1
            others = {f"{key}_" if key in OWN_COLUMNS else key: value for key, value in attributes.items()}
            yield {FILE: name, TEXTS: texts, ORIGINAL: file.name, **others}

    def _tell(self, done: int, total: int) -> None:
        if done % 16 == 0:
            (self.upload / PROGRESS).write_text(f"{done} {total}", "ascii")


def _keep(fresh: Path, target: Path) -> None:
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(target)


def main() -> None:
    """Take in the upload that the command line names, and leave the part folder only where it is whole."""
    upload, part, first_number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    shutil.rmtree(part, ignore_errors=True)  # of a try that was killed
    part.mkdir(parents=True)
    try:
        with Sandbox() as sandbox:
            intake = Intake(upload, part, sandbox)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            try:
                result = intake.take_in(first_number)
            except RefusedError as error:
                result = {"problems": [error.problem], "num_problems": 1}
            except MemoryError:
                result = {"problems": [Problem("bomb")], "num_problems": 1}
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if "fingerprint" not in result:
        shutil.rmtree(part)
    (upload / RESULT).write_text(json.dumps(result, ensure_ascii=True), "ascii")


if __name__ == "__main__":
    main()

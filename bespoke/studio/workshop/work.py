"""What does each kind of work run, and what becomes of it? Every one is a process; most are commands of ours."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction

from bespoke.errors import UserError
from bespoke.studio import jobs
from bespoke.studio.audit import record
from bespoke.studio.models import Leased
from bespoke.studio.workshop import against, catalogues, runs
from bespoke.studio.workshop.models import Check, Evaluation, Training, Upload
from bespoke.studio.workshop.problems import Problem
from bespoke.studio.workshop.version_files import settle

REPORT = "report.json"
LANGUAGES = "en,ja"  # of reports: that of the command line first
BESPOKE = (sys.executable, "-m", "bespoke")
GPU_SECONDS = 15  # well below a lease
_HAS_GPU = "import sys, torch; sys.exit(not torch.cuda.is_available())"


class NotYetError(Exception):
    """The work cannot begin at this moment; ask again."""


class Work(ABC):
    """One row of a queue, and what is done for it."""

    queue: ClassVar[type[Leased]]

    def __init__(self, row: Any) -> None:
        self.row = row

    @abstractmethod
    def command(self) -> list[str]:
        """What to run. Raises UserError, NotYetError."""

    def look(self) -> dict[str, Any]:
        """How far it is, for its row."""
        return {}

    @abstractmethod
    def hand_in(self) -> None:
        """What came of a process that ended well. Raises LeaseLostError."""

    def mend(self, told: str) -> bool:
        """Whether it is begun again, in another way, after its process has told of a mistake."""
        return False

    def clean(self) -> None:  # noqa: B027  most leave nothing behind
        """Whatever came of it, it is over."""

    @property
    def out(self) -> Path:
        """Where the process writes; the lease is in the name, so who has lost it cannot touch what another writes."""
        kind = self.row._meta.model_name
        return Path(settings.HOME.reports) / f".{kind}-{self.row.pk}-{self.row.lease}"


class TakeIn(Work):
    """An upload becomes a version."""

    queue = Upload

    @property
    def part(self) -> Path:
        return Path(settings.HOME.catalogues) / f".part-{self.row.pk}"

    def command(self) -> list[str]:
        first = 1 if self.row.catalogue is None else _first_free(self.row.catalogue.newest)
        module = "bespoke.studio.workshop.intake"
        return [sys.executable, "-m", module, str(self.row.path), str(self.part), str(first)]

    def hand_in(self) -> None:
        result = json.loads(catalogues.result_file(self.row).read_text("ascii"))
        if "fingerprint" not in result:
            self._refuse(result["problems"], result["num_problems"])
            return
        try:
            catalogues.hand_in(self.row, self.part, result)
        except catalogues.NameTakenError:
            self._refuse([Problem("name_taken", self.row.name)], 1)

    def _refuse(self, problems: list[Any], number: int) -> None:
        with transaction.atomic():
            jobs.fail(self.row, "refused", problems=problems, num_problems=number)
            record(self.row.owner, "catalogue.refused", self.row, problems=number)

    def clean(self) -> None:
        catalogues.clear_upload(self.row)
        shutil.rmtree(self.part, ignore_errors=True)


class DoCheck(Work):
    """The doctor looks at a version."""

    queue = Check

    def command(self) -> list[str]:
        return [*BESPOKE, "check", str(self.row.version.path), "--out", str(self.out), "--language", LANGUAGES]

    def hand_in(self) -> None:
        report = json.loads((self.out / REPORT).read_text("utf-8"))
        settle(self.out, self.row.path)
        jobs.end(self.row, verdict=report["verdict"])

    def clean(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)


class Evaluate(Work):
    """A model is measured, beside the one that is offered first where that was measured alike."""

    queue = Evaluation

    def __init__(self, row: Any) -> None:
        super().__init__(row)
        self._before = against.before(row)

    def command(self) -> list[str]:
        run, catalogue = settings.HOME.models / self.row.model.name, self.row.version.path
        if self.row.model.identity != self.row.identity:
            raise UserError(f"model {self.row.model.name} has changed since this was asked for; evaluate it again")
        asked = ["--split", self.row.split, "--out", str(self.out), "--language", LANGUAGES, "--skip-bad"]
        if self._before.report is not None:
            asked += ["--against", str(self._before.report)]
        return [*BESPOKE, "evaluate", str(run), str(catalogue), *asked]

    def mend(self, told: str) -> bool:
        """A comparison that cannot be made keeps nobody from being measured."""
        if self._before.report is None or not told.startswith("--against "):
            return False
        self._before = self._before._replace(report=None, why="otherwise")
        return True

    def hand_in(self) -> None:
        report = json.loads((self.out / REPORT).read_text("utf-8"))
        if report["protocol"]["model"] != self.row.identity:
            jobs.fail(self.row, f"model {self.row.model.name} has changed meanwhile; evaluate it again")
            return
        if self._before.report is None:
            self._say_why()
        settle(self.out, self.row.path)
        passed = bool(report["gates_passed"] and report["gates"])
        with transaction.atomic():
            jobs.end(self.row, verdict=report["verdict"], passed=passed)
            told = {"identity": self.row.identity, "passed": passed, "split": self.row.split}
            record(self.row.owner, "model.evaluated", self.row.model, **told)

    def _say_why(self) -> None:
        for file in self.out.glob("report*.json"):
            data = json.loads(file.read_text("utf-8")) | {"not_against": against.as_data(self._before)}
            file.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def clean(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)


class Train(Work):
    """A model is trained; whatever ended it before, it goes on from its newest checkpoint."""

    queue = Training

    def __init__(self, row: Any) -> None:
        super().__init__(row)
        self._began, self._asked_orphan = row.share, False

    def command(self) -> list[str]:
        row = self.row
        if runs.is_taken(row.path):
            self._end_orphan()
            raise NotYetError
        asked = [*BESPOKE, "train", str(row.version.path), "--out", str(row.path), "--minutes", str(row.minutes)]
        if runs.is_begun(row.path):
            return [*asked, "--skip-bad", "--resume"]
        if row.base is not None:
            asked += ["--from", str(settings.HOME.models / row.base.name)]
        preset = row.preset or ("gpu64" if row.base is None and _has_gpu() else "")
        return [*asked, "--skip-bad", *(["--preset", preset] if preset else [])]

    def _end_orphan(self) -> None:
        """Ask a process that outlived its worker to save and leave; it is ours, as it has our run."""
        if self.row.pid and not self._asked_orphan:
            self._asked_orphan = True
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.row.pid, signal.SIGTERM)

    def look(self) -> dict[str, Any]:
        share = runs.read_progress(self.row.path).share(self.row.minutes)
        # Whoever gets on is not at fault when its worker dies.
        return {"share": share, **({"attempts": 1} if share > self._began else {})}

    def hand_in(self) -> None:
        self.end(1.0)

    def end(self, share: float) -> None:
        """Ended with so much of the time spent, because it is or because somebody asked. Raises LeaseLostError."""
        with transaction.atomic():
            jobs.end(self.row, share=share, stopping=False, pid=None)
            record(self.row.owner, "training.ended", self.row, run=self.row.run, share=round(share, 3))


KINDS: list[type[Work]] = [TakeIn, DoCheck, Evaluate, Train]  # other apps add theirs when they are ready


def _first_free(version: Any) -> int:
    from bespoke.studio.workshop.version_files import FILE, read_rows

    return max(int(row[FILE].partition("-")[0]) for row in read_rows(version.path)) + 1


def _has_gpu() -> bool:
    """Whether torch finds a GPU; where the system has none, it is not asked, as loading it takes long."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/kfd").exists():
        return False
    try:
        asked = subprocess.run([sys.executable, "-c", _HAS_GPU], stderr=subprocess.DEVNULL, timeout=GPU_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0

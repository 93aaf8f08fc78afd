"""Is a model better than the last one? An earlier report beside the new numbers, where both were measured alike."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bespoke.errors import UserError
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.result import FORMAT, Evaluation, Row
from bespoke.evaluation.scores import SMALL_IS_GOOD, standard_error
from bespoke.evaluation.verdict import verdict_balance

COMPARED = ("frechet", "precision", "coverage", "retrieval", "swap", "near_copies")
ERRORS_APART = 1.96  # standard errors of the difference, of two models taken for independent: that is on the safe side
ALIKE = {"fingerprint": "catalogue", "split": "split", "seed": "seed", "num_pictures": "number of pictures"}

Direction = Literal["better", "worse", "unclear"]


class Change(NamedTuple):
    """What became of a metric, in the eyes of one judge."""

    judge: str
    metric: str
    before: Estimate
    now: Estimate
    direction: Direction


@dataclass(frozen=True)
class Before:
    """An earlier report."""

    file: Path
    model_name: str
    protocol: Mapping[str, Any]
    judges: frozenset[str]  # their identities
    found: Mapping[tuple[str, float, str], Estimate]  # by judge, balance and metric

    def check_alike(self, *, judges: Sequence[str] | None, balance: float, **protocol: object) -> None:
        """Raises UserError where the new numbers would not compare with these.

        judges: their identities, None while they are not known; protocol: those of ALIKE, as now.
        """
        for name, shown in ALIKE.items():
            if self.protocol.get(name) != protocol[name]:
                then, now = self.protocol.get(name), protocol[name]
                raise UserError(f"--against {self.file}: measured with another {shown} ({then}, now {now}); {_MEND}")
        if judges is not None and self.judges != frozenset(judges):
            raise UserError(f"--against {self.file}: measured by other judges; {_MEND}")
        if all(balance != known for _, known, _ in self.found):
            raise UserError(f"--against {self.file}: has no numbers at balance {balance:g}; {_MEND}")

    def changes(self, evaluation: Evaluation) -> list[Change]:
        """What has changed since, at the balance that the verdict is about, in the eyes of judges that see or read.

        What beats real pictures is no progress.
        """
        balance, alarms = verdict_balance(evaluation), evaluation.alarms
        answering = {
            metric: {j.family for j in evaluation.judges if j.examination.answers(metric)} for metric in COMPARED
        }
        changes = []
        for metric in COMPARED:
            for row in evaluation.find(metric, balance):
                then = self.found.get((row.judge, balance, metric))
                if then is None or row.judge not in answering[metric]:
                    continue
                found = _direction(then, row)
                changes.append(Change(row.judge, metric, then, row.generated, "unclear" if row in alarms else found))
        return changes


_MEND = "evaluate the earlier model in the same way first"


def read_before(file: Path) -> Before:
    """The report.json of an earlier evaluation, or of the folder that holds it. Raises UserError."""
    file = file / "report.json" if file.is_dir() else file
    try:
        data = json.loads(file.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise UserError(f"--against {file}: from another version of Bespoke; {_MEND}")
        found = {
            (str(row["judge"]), float(row["balance"]), str(row["metric"])): _estimate(row["generated"])
            for row in data["rows"]
        }
        judges = frozenset(card["identity"] for card in data["judges"])
        return Before(file, str(data["protocol"]["model_name"]), data["protocol"], judges, found)
    except OSError as error:
        raise UserError(f"--against {file}: {error.strerror}; name the report.json of an evaluation") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"--against {file}: not the report of a model; name the report.json of an evaluation"
        ) from error


def _estimate(data: Mapping[str, Any]) -> Estimate:
    """An estimate of a report. Raises ValueError, KeyError or TypeError where it is none."""
    found = Estimate(float(data["value"]), float(data["low"]), float(data["high"]), int(data["n"]))
    if not all(map(math.isfinite, found)):
        raise ValueError("expected finite numbers")
    return found


def summary(changes: Sequence[Change]) -> dict[str, Direction]:
    """By metric: better or worse where all judges say so."""
    by_metric: dict[str, set[Direction]] = {}
    for change in changes:
        by_metric.setdefault(change.metric, set()).add(change.direction)
    return {metric: found.pop() if len(found) == 1 else "unclear" for metric, found in by_metric.items()}


def as_data(before: Before, changes: Sequence[Change]) -> dict[str, Any]:
    """For report.json."""
    return {
        "model_name": before.model_name,
        "summary": summary(changes),
        "changes": [
            change._asdict() | {"before": change.before._asdict(), "now": change.now._asdict()} for change in changes
        ],
    }


def _direction(before: Estimate, row: Row) -> Direction:
    gain = before.value - row.generated.value if row.metric in SMALL_IS_GOOD else row.generated.value - before.value
    error = math.hypot(standard_error(before), standard_error(row.generated))
    if abs(gain) <= ERRORS_APART * error:
        return "unclear"
    return "better" if gain > 0 else "worse"

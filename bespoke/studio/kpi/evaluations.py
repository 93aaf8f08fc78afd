"""What did the judges say of each model version? Numbers of one way of measuring only, as others do not compare."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bespoke.studio.models import Leased
from bespoke.studio.workshop.models import Evaluation

METRICS = ("retrieval", "precision", "coverage", "frechet")  # of the last, small is good
REPORT = "report.json"


class Measured(NamedTuple):
    """One evaluation."""

    protocol: tuple[Any, ...]  # what must be equal for numbers to compare
    metrics: dict[str, float]  # mean of the judges, at the balance of the verdict


def measured(models: list[str]) -> dict[str, Measured]:
    """The newest evaluation of each model version ("name identity"), all measured in the way that most were."""
    wanted = {model.rpartition(" ")[2] for model in models}
    found: dict[str, Measured] = {}
    done = Evaluation.objects.filter(identity__in=wanted, state=Leased.State.DONE).select_related("model")
    for evaluation in done.order_by("finished_at"):
        name = f"{evaluation.model.name} {evaluation.identity}"
        read = _read(evaluation.path / REPORT)
        if name in models and read is not None:
            found[name] = read
    usual = Counter(each.protocol for each in found.values()).most_common(1)
    return {name: each for name, each in found.items() if each.protocol == usual[0][0]}


@lru_cache(maxsize=256)  # a report is never written twice
def _read(file: Path) -> Measured | None:
    try:
        report = json.loads(file.read_text("utf-8"))
        protocol = report["protocol"]
        rows = [row for row in report["rows"] if row["balance"] == report["verdict_balance"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    told = {}
    for metric in METRICS:
        values = [row["generated"]["value"] for row in rows if row["metric"] == metric]
        if values:
            told[metric] = sum(values) / len(values)
    same = tuple(protocol.get(name) for name in ("fingerprint", "split", "image_size", "num_pictures", "retrieval_of"))
    return Measured(same, told)

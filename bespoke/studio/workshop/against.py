"""Is a model better than the one that is offered first? What its report is compared with, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bespoke.studio.workshop.models import Evaluation
from bespoke.studio.workshop.promotion import current

REPORT = "report.json"
_METRICS = {
    "frechet": gettext_lazy("Distance to real pictures (small is good)"),
    "precision": gettext_lazy("Realism (precision)"),
    "coverage": gettext_lazy("Variety (coverage)"),
    "retrieval": gettext_lazy("Finds its text (R@1)"),
    "swap": gettext_lazy("Notices a swapped word"),
    "near_copies": gettext_lazy("Near copies of training pictures (few is good)"),
}
_DIRECTIONS = {
    "better": gettext_lazy("better"),
    "worse": gettext_lazy("worse"),
    "unclear": gettext_lazy("no clear difference"),
}
_WHY = {
    "nothing": gettext_lazy("No model was offered first when this was measured, so there was none to compare with."),
    "itself": gettext_lazy("It was offered first itself when this was measured, so there was none to compare with."),
    "unmeasured": gettext_lazy("%(name)s, which was offered first, had not been measured: evaluate it, then this one."),
    "elsewhere": gettext_lazy(
        "%(name)s, which was offered first, had been measured on other pictures: evaluate it on these, then this one."
    ),
    "otherwise": gettext_lazy(
        "%(name)s, which was offered first, had been measured in another way (size of pictures, captions or judges): "
        "evaluate it again, then this one."
    ),
}


class Before(NamedTuple):
    """The report of the model that is offered first, or why there is none to compare with."""

    report: Path | None
    why: str = ""  # a key of _WHY
    name: str = ""  # of that model


class Line(NamedTuple):
    """What became of a metric."""

    label: str
    direction: str  # better, worse, unclear
    said: str


def before(evaluation: Evaluation) -> Before:
    """What this evaluation can be compared with: the newest of the model offered first, on the very same pictures."""
    model = current()
    if model is None:
        return Before(None, "nothing")
    if model == evaluation.model:
        return Before(None, "itself")
    done = Evaluation.objects.filter(model=model, identity=model.identity, state=Evaluation.State.DONE)
    there = [each for each in done.order_by("-created_at") if (each.path / REPORT).is_file()]
    for each in there:
        if (each.version_id, each.split) == (evaluation.version_id, evaluation.split):
            return Before(each.path / REPORT, name=model.name)
    return Before(None, "elsewhere" if there else "unmeasured", model.name)


def as_data(known: Before) -> dict[str, str]:
    """Why a report has no comparison, for the report itself."""
    return {"why": known.why, "name": known.name}


def why(data: dict[str, Any]) -> str:
    """Why a report has no comparison, in words; empty where it has one, or is older than comparisons."""
    told = data.get("not_against")
    return str(_WHY[told["why"]]) % {"name": told["name"]} if told else ""


def lines(data: dict[str, Any]) -> list[Line]:
    """What a report says is better or worse; nothing where it has no comparison."""
    told = (data.get("against") or {}).get("summary", {})
    return [Line(str(_METRICS[name]), found, str(_DIRECTIONS[found])) for name, found in told.items()]


def title(data: dict[str, Any]) -> str:
    """Of those lines."""
    name = (data.get("against") or {}).get("model_name", "")
    return _("Compared with %(name)s, which was offered first") % {"name": name.rpartition(" ")[0] or name}

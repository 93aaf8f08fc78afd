"""How were the models of an experiment measured? What a reader needs to trust their numbers and to get them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bespoke.evaluation.examine import Examined
from bespoke.experiments.bench import Measured
from bespoke.pages.document import Writer
from bespoke.training.plan import Plan

OF_ONE_MODEL = ("model", "model_name")
CONFIG_KEYS = ("preset", "seed")


def protocol(found: Measured, judges: Sequence[Examined], plan: Plan) -> dict[str, Any]:
    """What is the same for all models of an experiment, of which `found` is one."""
    training = {f"training_{key}": getattr(plan.config, key) for key in CONFIG_KEYS}
    return {
        **{name: value for name, value in found.protocol.items() if name not in OF_ONE_MODEL},
        **training,
        "training_budget": plan.budget.model_dump(exclude_none=True),
        "judges": [
            {
                "judge": judge.taught.judge.family,
                "identity": judge.taught.identity,
                "sees": judge.examination.sees,
                "reads": judge.examination.reads,
            }
            for judge in judges
        ],
    }


def protocol_section(writer: Writer, told: Mapping[str, Any]) -> str:
    """The section of a page; names are those of the JSON, judges come with what they are good for."""
    lines = [(name, str(value)) for name, value in told.items() if name != "judges"]
    for judge in told["judges"]:
        exam = [writer.plain(f"{part}.{'yes' if judge[part] else 'no'}") for part in ("sees", "reads")]
        lines.append((f"judge {judge['judge']}", f"{judge['identity'][:12]}. {' '.join(exam)}"))
    rows = "".join(f"<tr><td>{escape(name)}</td><td class='say'>{escape(value)}</td></tr>" for name, value in lines)
    return f'{writer.heading("protocol")}<div class="card wide"><table>{rows}</table></div>'

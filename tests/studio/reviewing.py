"""Pictures as a worker leaves them, brought through review: for the tests of review, exports and pages."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from bespoke.provenance import mark
from bespoke.studio import jobs
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.review import states
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import move, propose

TOLD = {"reason": "color", "note": "more red"}


def drawn(model: TrainedModel, owner: User, *alignments: float, text: str = "a red cup", color: int = 128) -> Job:
    """A job that is done, with as many pictures as alignments."""
    asked: dict[str, Any] = {"text": text, "num_images": len(alignments), "balance": 0.7, "seed": 7, "best_of": 1}
    job = jobs.enqueue(owner=owner, model=model, **asked)
    assert jobs.claim() is not None
    job.refresh_from_db()
    name, made = f"{model.name} {model.identity}", []
    for number, alignment in enumerate(alignments):
        with TemporaryDirectory() as folder:
            file = Path(folder) / "a.png"
            image = Image.new("RGB", (32, 32), (color, number, 0))
            mark(image, file, prompt=text, seed=7 + number, balance=0.7, model=name)
            content = file.read_bytes()
        picture = Picture(job=job, number=number, seed=7 + number, alignment=alignment, model_name=name)
        picture.file = default_storage.save(f"{job.pk}/{number}.png", ContentFile(content))
        picture.sha256 = hashlib.sha256(content).hexdigest()
        made.append(picture)
    jobs.finish(job, made, [])
    return job


def proposed(model: TrainedModel, people: dict[str, User], alignment: float = 0.3, **given: Any) -> Proposal:
    """A picture that the creator has proposed for the product line of mugs."""
    job = drawn(model, people["creator"], alignment, **given)
    return propose(list(job.results), people["creator"], "mugs")[0]


def at(proposal: Proposal, state: str, people: dict[str, User]) -> Proposal:
    """The proposal, brought into a state as people would."""
    steps = {
        states.PROPOSED: [],
        states.IN_REVIEW: ["take"],
        states.APPROVED: ["take", "approve"],
        states.REVISE: ["take", "revise"],
        states.REJECTED: ["take", "reject"],
        states.WITHDRAWN: ["withdraw"],
    }
    for name in steps[state]:
        who = people["creator" if name == "withdraw" else "reviewer"]
        proposal = move(proposal.pk, name, who, turn=proposal.turn, **(TOLD if states.MOVES[name].told else {}))
    assert proposal.state == state
    return proposal

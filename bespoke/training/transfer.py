"""What does a run take over from the base model that it starts from? Its weights, its pieces, and what stays fixed."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from bespoke.data.captions import Tokenizer
from bespoke.data.front_end import FrontEnd
from bespoke.errors import UserError
from bespoke.method.discriminator import Discriminator
from bespoke.networks import Networks
from bespoke.pipeline import Pipeline
from bespoke.training.plan import Base

_STAGE = re.compile(r"^stages\.(\d+)\.")


def load_base(base: Base) -> Pipeline:
    """The model that a run starts from. Raises UserError where it is gone, or another one than was asked for."""
    pipeline = Pipeline.from_pretrained(base.location, device="cpu", editor=False)
    if pipeline.identity != base.identity:
        raise UserError(
            f"{base.location}: changed before the run had begun (its model was {base.identity}, now it is "
            f"{pipeline.identity}); train into a new --out"
        )
    return pipeline


def take_over(networks: Networks, front_end: FrontEnd, base: Pipeline) -> None:
    """Give all networks the weights of the base, bit for bit; only the pieces that it did not have get new rows.

    Networks for larger pictures than the base's take over what they have in common and keep the rest as it was drawn.
    Not an editor: one that the base has goes with the base's generator and no other, until it is taught on.
    A new word begins where its old spelling stood: the row of a new piece is the mean of the rows of the pieces that
    spelled it, as long as those are, since the mean of unlike rows is short. Captions with new words then read much as
    in the base: docs/base-models.md has the likenesses that were measured, also for other ways to begin.
    """
    for name, network in networks.named().items():
        if name == "editor":
            continue
        weights = dict(base.networks.named()[name].state_dict())
        if "token.weight" in weights:
            assert isinstance(front_end, Tokenizer)
            assert isinstance(base.tokenizer, Tokenizer)
            old = base.tokenizer
            spellings = [old.spelling(piece) for piece in front_end.pieces[old.vocabulary_size :]]
            rows = weights["token.weight"]
            weights["token.weight"] = torch.cat([rows, *(_row(rows[spelling]) for spelling in spellings)])
            if (rows := weights.get("canonical.directions")) is not None:
                # A caption's rows are summed: a piece that stands for others says what they said together.
                sums = [rows[spelling].sum(0, keepdim=True) for spelling in spellings]
                weights["canonical.directions"] = torch.cat([rows, *sums])
        if new := len(networks.settings.discriminator_widths) - len(base.networks.settings.discriminator_widths):
            weights = network.state_dict() | _kept(name, weights, new)
        network.load_state_dict(weights)


def take_over_editor(networks: Networks, base: Base) -> str:
    """Let an editor go on from the one of `base`, if there is one that fits; returns what to say of it.

    It was taught to read another model's text embeddings, but that model's are where these began.
    """
    assert networks.editor is not None
    anew = "The editor begins from nothing:"
    try:
        pipeline = Pipeline.from_pretrained(base.location, device="cpu")
    except UserError as error:
        return f"{anew} {error}"
    editor = pipeline.networks.editor
    if pipeline.identity != base.identity:
        return f"{anew} the model of {base.location} is another one by now."
    if editor is None:
        return f"{anew} the model of {base.location} has none."
    weights, own = editor.state_dict(), networks.editor.state_dict()
    if {name: each.shape for name, each in weights.items()} != {name: each.shape for name, each in own.items()}:
        return f"{anew} that of {base.location} is of another size."
    networks.editor.load_state_dict(weights)
    return f"The editor goes on from that of {base.location}."


def _kept(name: str, weights: dict[str, Tensor], new: int) -> dict[str, Tensor]:
    """What a network with `new` further stages takes over of a smaller one's weights, by the names it has there.

    What touches the picture belongs to its size: the generator's way from its last stage to colours, and the
    discriminator's stem. The discriminator counts its stages from the picture on, so those of the base move up.
    """
    outer = {"generator": ("last_film.", "grow.", "to_rgb."), "discriminator": ("stem.",)}.get(name, ())
    kept = {key: weight for key, weight in weights.items() if not key.startswith(outer)}
    if name != "discriminator":
        return kept
    return {_STAGE.sub(lambda found: f"stages.{int(found[1]) + new}.", key): weight for key, weight in kept.items()}


def _row(spelling: Tensor) -> Tensor:
    """[K, T] rows of a spelling -> the one row [1, T] that stands for them."""
    mean = spelling.mean(0, keepdim=True)
    return mean * (spelling.norm(dim=1).mean() / mean.norm())


def freeze(discriminator: Discriminator, stages: int) -> None:
    """Fix the first `stages` stages, of the highest resolution; the first is the stem."""
    for module in [discriminator.stem, *discriminator.stages][:stages]:
        module.requires_grad_(False)

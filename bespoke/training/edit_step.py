"""What happens in one step that teaches the editor? Twins are drawn, real pictures edited, critic and editor learn."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import torch
from torch import Tensor

from bespoke.config import Config
from bespoke.data.batches import Batch
from bespoke.method.across import gather
from bespoke.method.discriminator import PictureFeatures
from bespoke.method.editor import (
    Change,
    Edited,
    EditWeights,
    Sides,
    change_of,
    critic_loss,
    editor_loss,
    preservation_loss,
    twin_loss,
)
from bespoke.method.joint_loss import Terms
from bespoke.networks import Networks
from bespoke.precision import autocast
from bespoke.settings import EditSettings
from bespoke.training.step import Draws, Players, changed, fixed, gathered, mirrored, total
from bespoke.training.workplace import Workplace


class Material(NamedTuple):
    """What one step works on: N / 2 pictures that have a twin, most of them generated, then N / 2 real ones without."""

    x: Tensor  # [N, 3, H, W] in [-1, 1]
    twin: Tensor  # [N / 2, 3, H, W], what the first half should become
    change: Change  # of all N
    changes: Tensor  # [N] bool, False where a picture gets the text it has
    y: Tensor  # [N / 2, E], S_D of the text that a real picture has
    y_new: Tensor  # [N / 2, E], S_D of the text that it should get


def edit_step(players: Players, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Terms:
    """Editor and critic learn once; returns every term of both losses, detached. Raises Diverged.

    The critic is the discriminator in training; whatever else is asked is the average, which stays the base's.
    """
    assert config.editing is not None
    critic, editor, weights = players.networks.discriminator, players.networks.editor, edit_weights(config.editing)
    assert editor is not None
    # Every other row has a twin: so the slices of several processes give the same rows to the same use.
    rows = torch.arange(len(batch.captions))
    rows = torch.cat([rows[::2], rows[1::2]])
    batch, draws = Batch(*(part[rows] for part in batch)), Draws(*(part[rows.to(place.device)] for part in draws))
    given = prepared(players.averaged, batch, draws, config, place)
    half = len(given.twin)
    paired, real, changes = given.x[:half], given.x[half:], given.changes[half:]
    with autocast(place.device, config.training.precision):
        made = editor(given.x, given.change)
    like_twin, edited = (Edited(*(part[those] for part in made)) for those in (slice(half), slice(half, None)))

    def sides(seen: PictureFeatures, seen_edited: PictureFeatures) -> Sides:
        return Sides(
            real=seen,
            edited=seen_edited,
            y=gather(given.y),
            y_new=gather(given.y_new),
            changes=gather(changes),
            caption_ids=gather(batch.caption_ids[half:].to(place.device)),
        )

    shown = changed(real, draws.augment_real[half:], config)
    shown_edited = changed(edited.pictures.detach(), draws.augment_fake[half:], config)
    with autocast(place.device, config.training.precision):
        seen = critic(torch.cat([shown, shown_edited]))
    seen_real = gathered(PictureFeatures(*(part[: len(real)] for part in seen)))
    seen_edited = gathered(PictureFeatures(*(part[len(real) :] for part in seen)))
    terms_c = critic_loss(critic, sides(seen_real, seen_edited))
    players.learn(total(terms_c), "discriminator", place)

    with fixed(critic):
        # Shown as the real ones were: what is compared differs in the edit alone.
        shown_edited = changed(edited.pictures, draws.augment_real[half:], config)
        with autocast(place.device, config.training.precision):
            seen_edited = gathered(critic(shown_edited))
        seen_real = PictureFeatures(*(part.detach() for part in seen_real))
        terms_e = editor_loss(critic, sides(seen_real, seen_edited), weights)
        terms_e |= preservation_loss(real, edited, changes, weights)
        terms_e |= twin_loss(paired, like_twin, given.twin, given.changes[:half], weights)
        players.learn(total(terms_e), "editor", place)
    named = {f"critic/{name}": term for name, term in terms_c.items()}
    named |= {f"editor/{name}": term for name, term in terms_e.items()}
    return {name: term.detach() for name, term in named.items()}


@torch.no_grad()
def prepared(base: Networks, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Material:
    """The pictures and changes of a step.

    Of the first half of the batch, a picture that has another of its shot comes with that; of all others the captions
    alone are taken, and twins are generated.
    """
    assert config.editing is not None
    device, half = place.device, (len(batch.captions) + 1) // 2
    y, y_new, empty = (part.to(device) for part in (batch.captions, batch.mismatched, batch.empty))
    changes = draws.chance[:, 0] >= config.editing.unchanged
    shot = batch.has_twin.to(device) & changes
    shot[half:] = False
    y_new = torch.where(shot[:, None], batch.twin_captions.to(device), torch.where(changes[:, None], y_new, y))
    known = (draws.chance[:, 1] >= config.editing.no_source) | ~changes  # else nothing would say that all should stay
    told = torch.where(known[:, None], y, empty)
    with autocast(device, config.training.precision):
        change = change_of(base.generator, base.text_encoder, draws.noise, y_new, told)
        text = base.text_encoder(torch.cat([y[:half], y_new[:half]]))
        noise, b = draws.noise[:half].repeat(2, 1), torch.zeros(2 * half, device=device)
        drawn, twin = base.generator(noise, text, b).pictures.clamp(-1, 1).chunk(2)
    flip = draws.flip & ~batch.sided.to(device)
    real = mirrored(batch.pictures.to(device), flip)
    if shot.any():
        chosen = shot[:half, None, None, None]
        drawn = torch.where(chosen, real[:half], drawn)
        twin = torch.where(chosen, mirrored(batch.twins[:half].to(device), flip[:half]), twin)
    return Material(
        torch.cat([drawn, real[half:]]),
        twin,
        change,
        changes,
        base.text_encoder.alignment(y[half:]).sentence,
        base.text_encoder.alignment(y_new[half:]).sentence,
    )


def edit_weights(settings: EditSettings) -> EditWeights:
    """What method/editor.py needs of the config."""
    return EditWeights(**{field.name: getattr(settings, field.name) for field in fields(EditWeights)})

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
from bespoke.method.edit_loss import (
    EditWeights,
    Sides,
    critic_loss,
    differs,
    editor_loss,
    preservation_loss,
    twin_loss,
)
from bespoke.method.editor import Change, change_of
from bespoke.method.joint_loss import Terms
from bespoke.networks import Networks
from bespoke.precision import autocast
from bespoke.settings import EditSettings
from bespoke.training.step import Draws, Players, changed, fixed, gathered, mirrored, total
from bespoke.training.workplace import Workplace


class Material(NamedTuple):
    """What one step works on: first P pictures that have a twin, most of them generated, then N - P without."""

    x: Tensor  # [N, 3, H, W] in [-1, 1]
    twin: Tensor  # [P, 3, H, W], what the first P should become
    shot: Tensor  # [P] bool, whether that is another picture of the shot
    change: Change  # of all N
    changes: Tensor  # [N] bool, False where a picture gets the text it has
    captions: Tensor  # [N, L] or [N, F], what they show
    wanted: Tensor  # [N, L] or [N, F], what they should show


def edit_step(players: Players, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Terms:
    """The editor and, where it has one, its critic learn once; returns every term, detached. Raises Diverged.

    The critic is the discriminator in training; whatever else is asked is the average, which stays the base's.
    """
    assert config.editing is not None
    editor, weights = players.networks.editor, edit_weights(config.editing)
    assert editor is not None
    if config.editing.critic:
        # Every other row has a twin: so the slices of several processes give the same rows to the same use.
        rows = torch.arange(len(batch.captions))
        rows = torch.cat([rows[::2], rows[1::2]])
        batch, draws = Batch(*(part[rows] for part in batch)), Draws(*(part[rows.to(place.device)] for part in draws))
    given = prepared(players.averaged, batch, draws, config, place)
    num = len(given.twin)
    x, change, changes = given.x[:num], given.change.rows(slice(num)), given.changes[:num]
    with autocast(place.device, config.training.precision):
        made = editor.without_pattern(x, change)
    terms_e = twin_loss(x, made, given.twin, differs(x, given.twin, given.shot), changes, weights)
    terms_c: Terms = {}
    if config.editing.critic:
        terms_c, judged = _judged(players, given, batch, draws, config, place)
        terms_e |= judged
    players.learn(total(terms_e), "editor", place)
    named = {f"critic/{name}": term for name, term in terms_c.items()}
    named |= {f"editor/{name}": term for name, term in terms_e.items()}
    return {name: term.detach() for name, term in named.items()}


def _judged(
    players: Players, given: Material, batch: Batch, draws: Draws, config: Config, place: Workplace
) -> tuple[Terms, Terms]:
    """Pictures without a twin are edited and the critic learns from them; its terms, and those of the editor."""
    assert config.editing is not None
    critic, editor, weights = players.networks.discriminator, players.networks.editor, edit_weights(config.editing)
    assert editor is not None
    rest = slice(len(given.twin), None)
    real, changes = given.x[rest], given.changes[rest]
    with torch.no_grad():
        told = (players.averaged.text_encoder.alignment(text[rest]).sentence for text in (given.captions, given.wanted))
        y, y_new = (gather(sentence) for sentence in told)
    with autocast(place.device, config.training.precision):
        edited = editor(real, given.change.rows(rest))

    def sides(seen: PictureFeatures, seen_edited: PictureFeatures) -> Sides:
        return Sides(
            real=seen,
            edited=seen_edited,
            y=y,
            y_new=y_new,
            changes=gather(changes),
            caption_ids=gather(batch.caption_ids[rest].to(place.device)),
        )

    shown = changed(real, draws.augment_real[rest], config)
    shown_edited = changed(edited.pictures.detach(), draws.augment_fake[rest], config)
    with autocast(place.device, config.training.precision):
        seen = critic(torch.cat([shown, shown_edited]))
    seen_real = gathered(PictureFeatures(*(part[: len(real)] for part in seen)))
    seen_edited = gathered(PictureFeatures(*(part[len(real) :] for part in seen)))
    terms_c = critic_loss(critic, sides(seen_real, seen_edited))
    players.learn(total(terms_c), "discriminator", place)

    with fixed(critic):
        # Shown as the real ones were: what is compared differs in the edit alone.
        shown_edited = changed(edited.pictures, draws.augment_real[rest], config)
        with autocast(place.device, config.training.precision):
            seen_edited = gathered(critic(shown_edited))
        seen_real = PictureFeatures(*(part.detach() for part in seen_real))
        terms_e = editor_loss(critic, sides(seen_real, seen_edited), weights)
    return terms_c, terms_e | preservation_loss(real, edited, changes, weights)


@torch.no_grad()
def prepared(base: Networks, batch: Batch, draws: Draws, config: Config, place: Workplace) -> Material:
    """The pictures and changes of a step.

    Of those that should have a twin, a picture that has another of its shot comes with that, and one that keeps its
    text with itself; of all others the captions alone are taken, and twins are generated. With a critic, the second
    half is for that.
    """
    assert config.editing is not None
    device, num = place.device, len(batch.captions)
    half = (num + 1) // 2 if config.editing.critic else num
    y, y_new, empty = (part.to(device) for part in (batch.captions, batch.mismatched, batch.empty))
    changes = draws.chance[:, 0] >= config.editing.unchanged
    shot = batch.has_twin.to(device) & changes
    shot[half:] = False
    y_new = torch.where(shot[:, None], batch.twin_captions.to(device), torch.where(changes[:, None], y_new, y))
    known = (draws.chance[:, 1] >= config.editing.no_source) | ~changes  # else nothing would say that all should stay
    told = torch.where(known[:, None], y, empty)
    with autocast(device, config.training.precision):
        change = change_of(base.generator, base.text_encoder, draws.noise, y_new, told)
    flip = draws.flip & ~batch.sided.to(device)
    x = mirrored(batch.pictures.to(device), flip)
    twin, generated = x[:half].clone(), (changes & ~shot)[:half]
    if shot.any():
        twin[shot[:half]] = mirrored(batch.twins.to(device)[shot], flip[shot])
    if generated.any():
        rows = generated.nonzero().flatten()
        noise, b = draws.noise[rows].repeat(2, 1), torch.zeros(2 * len(rows), device=device)
        with autocast(device, config.training.precision):
            text = base.text_encoder(torch.cat([y[rows], y_new[rows]]))
            x[rows], twin[rows] = base.generator(noise, text, b).pictures.float().clamp(-1, 1).chunk(2)
    return Material(
        x,
        twin,
        shot[:half],
        change,
        changes,
        y,
        y_new,
    )


def edit_weights(settings: EditSettings) -> EditWeights:
    """What method/edit_loss.py needs of the config."""
    return EditWeights(**{field.name: getattr(settings, field.name) for field in fields(EditWeights)})

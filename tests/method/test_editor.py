"""Closed forms of what an editor does, and who learns from what."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bespoke.method.discriminator import Discriminator
from bespoke.method.edit_loss import (
    LEAST_APART,
    EditWeights,
    Sides,
    critic_loss,
    differs,
    editor_loss,
    preservation_loss,
    twin_loss,
)
from bespoke.method.editor import (
    NUM_PICKED,
    Change,
    Edited,
    Editor,
    change_of,
    compose,
    strengthened,
    words_that_differ,
)
from bespoke.method.generator import Generator
from bespoke.method.joint_loss import Terms
from bespoke.method.patterns import NUM_CHOICES, laid
from bespoke.method.text_encoder import DualTextEncoder, TextEncoder

N, WIDTH = 4, 16


class Scene:
    """A small model, an editor, and pictures that are asked for another text; the last one for its own."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        encoder = lambda: TextEncoder(vocabulary_size=20, token_width=8, embedding_width=WIDTH)  # noqa: E731
        self.text = DualTextEncoder(encoder(), encoder())
        sizes = {"image_size": 32, "embedding_width": WIDTH, "widths": (32, 24, 16)}
        self.generator = Generator(**sizes, latent_width=8, condition_width=8, style_width=16).eval()
        self.critic = Discriminator(**sizes)
        self.editor = Editor(embedding_width=WIDTH, style_width=16, widths=(24, 16, 8))
        self.old = torch.randint(3, 20, (N, 7))
        self.new = self.old.clone()
        self.new[:-1, 2] = (self.old[:-1, 2] - 2) % 17 + 3
        self.pictures = torch.rand(N, 3, 32, 32) * 2 - 1
        self.noise = torch.randn(N, self.generator.num_noise)

    def change(self) -> Change:
        return change_of(self.generator, self.text, self.noise, self.new, self.old)

    def wake(self) -> None:
        """Let the editor do something: at first it does next to nothing."""
        torch.nn.init.normal_(self.editor.to_colors.weight, std=0.3)

    def put_on(self, choice: int) -> None:
        """A pattern, whatever is asked."""
        with torch.no_grad():
            self.editor.marks.page[-1].bias[choice] = 50.0

    def sides(self, edited: Tensor) -> Sides:
        return Sides(
            real=self.critic(self.pictures),
            edited=self.critic(edited),
            y=self.text.alignment(self.old).sentence.detach(),
            y_new=self.text.alignment(self.new).sentence.detach(),
            changes=(self.new != self.old).any(1),
            caption_ids=torch.arange(N),
        )


def told_by_twin(x: Tensor, made: Edited, twin: Tensor, changes: Tensor, *, shot: bool = False) -> Terms:
    """twin_loss where twins differ by themselves."""
    where = differs(x, twin, torch.full((len(x),), shot))
    return twin_loss(x, made, twin, where, changes, EditWeights())


def test_an_editor_that_has_learned_nothing_changes_nothing_but_for_a_pattern() -> None:
    scene = Scene()
    made = scene.editor.without_pattern(scene.pictures, scene.change())
    assert torch.equal(made.pictures, scene.pictures)
    scene.put_on(0)
    assert torch.equal(scene.editor(scene.pictures, scene.change()).pictures, scene.pictures)


def test_a_pattern_is_laid_over_the_rest_in_the_marks_colour() -> None:
    scene = Scene()
    scene.put_on(3)
    plain, made = (
        scene.editor.without_pattern(scene.pictures, scene.change()),
        scene.editor(scene.pictures, scene.change()),
    )
    marks = laid(torch.full((N,), 3), scene.change().lay, 32)
    expected = scene.pictures + made.mask * marks * (made.mark[:, :, None, None] - scene.pictures)
    assert torch.allclose(made.pictures, expected, atol=1e-5)
    assert torch.equal(plain.mask, made.mask)


def test_each_pixel_gets_its_own_change_of_colour() -> None:
    x = torch.rand(1, 3, 2, 2)
    colors, mask = torch.zeros(1, 12, 2, 2), torch.tensor([[[[1.0, 0.5], [0.0, 1.0]]]])
    colors[:, 1], colors[:, 9] = 2.0, 0.25  # red gets twice the green, and a quarter on top
    made = compose(x, colors, mask)
    assert torch.allclose(made[:, 0], x[:, 0] + mask[:, 0] * (2 * x[:, 1] + 0.25))
    assert torch.equal(made[:, 1:], x[:, 1:])
    assert torch.equal(made[0, :, 1, 0], x[0, :, 1, 0])


def test_strength_runs_from_nothing_over_the_mask_to_everything() -> None:
    mask = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
    assert torch.equal(strengthened(mask, 0.0), torch.zeros(5))
    assert torch.allclose(strengthened(mask, 0.7), mask)
    assert torch.equal(strengthened(mask, 1.0), torch.ones(5))
    assert strengthened(torch.tensor([0.5]), 0.75).item() == pytest.approx(9 / 16)
    rising = torch.stack([strengthened(mask, s / 10) for s in range(11)])
    assert bool((rising.diff(dim=0) >= 0).all())


def test_only_words_that_the_other_text_lacks_count_as_changed() -> None:
    new, old = torch.tensor([[5, 6, 7, 0]]), torch.tensor([[6, 9, 7, 5]])
    assert words_that_differ(new, old, new != 0).tolist() == [[False, False, False, False]]
    assert words_that_differ(old, new, old != 0).tolist() == [[False, True, False, False]]
    vectors, others = torch.tensor([[1.0, 2.0], [1.0, 2.0]]), torch.tensor([[1.0, 2.0], [1.0, 3.0]])
    assert words_that_differ(vectors, others, torch.ones(2, 1, dtype=torch.bool)).tolist() == [[False], [True]]


def test_the_same_text_leaves_no_changed_word_and_still_gives_a_number() -> None:
    scene = Scene()
    scene.wake()
    scene.new = scene.old.clone()
    change = scene.change()
    assert not change.new.mask.any()
    assert bool(torch.isfinite(scene.editor(scene.pictures, change).pictures).all())


def test_each_picture_is_edited_alone() -> None:
    scene = Scene()
    scene.wake()
    together = scene.editor(scene.pictures, scene.change()).pictures
    alone = scene.editor(
        scene.pictures[1:2],
        change_of(scene.generator, scene.text, scene.noise[1:2], scene.new[1:2], scene.old[1:2]),
    ).pictures
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_colours_found_in_the_picture_can_be_put_elsewhere_in_it() -> None:
    scene = Scene()
    red, half = torch.tensor([0.8, -0.6, -0.6]), torch.zeros(N, 3, 32, 32)
    half[:, :, :, :16] = red[:, None, None]
    palette = scene.editor.without_pattern(half, scene.change()).palette
    shares = palette / red  # of the left half, in what was found
    assert shares.shape == (N, NUM_PICKED, 3)
    assert bool(((shares >= 0) & (shares <= 1)).all())
    assert torch.allclose(shares, shares[:, :, :1].expand(-1, -1, 3), atol=1e-5)
    with torch.no_grad():
        scene.editor.to_colors.bias[-NUM_PICKED] = 1.0
    made = scene.editor.without_pattern(half, scene.change())
    assert torch.allclose(made.colors[:, 9:], palette[:, 0, :, None, None].expand(-1, -1, 32, 32), atol=1e-5)
    assert not made.colors[:, :9].any()


def test_an_old_patterns_marks_become_the_ground_around_them_and_then_what_the_text_says() -> None:
    scene = Scene()
    pictures = torch.full((N, 3, 32, 32), -0.4)
    pictures[..., ::6] = 0.6  # lines
    with torch.no_grad():
        scene.editor.to_colors.bias[12] = 5.0  # m is 1
        scene.editor.to_colors.bias[13] = 1.0  # all marks go
    off = scene.editor.without_pattern(pictures, scene.change()).pictures
    assert (off + 0.4).abs().max() < 0.2 * (pictures + 0.4).abs().max()  # at the rim there is little ground
    with torch.no_grad():
        scene.editor.to_colors.bias[9] = 0.5  # more red
    redder = scene.editor.without_pattern(pictures, scene.change()).pictures
    assert torch.allclose(redder[:, 0], off[:, 0] + 0.5, atol=1e-4)
    assert torch.allclose(redder[:, 1:], off[:, 1:], atol=1e-4)


def test_every_seed_lays_patterns_elsewhere() -> None:
    scene = Scene()
    lay = scene.change().lay
    assert lay.shape == (N, 3)
    assert bool(((lay > 0) & (lay < 1)).all())
    assert len({tuple(row) for row in lay.tolist()}) == N
    scene.put_on(3)
    first, second = (scene.editor(scene.pictures, scene.change()._replace(lay=torch.rand(N, 3))) for _ in range(2))
    assert not torch.allclose(first.pictures, second.pictures, atol=1e-3)
    assert torch.equal(first.mask, second.mask)


def test_the_critic_learns_from_its_loss_and_the_editor_does_not() -> None:
    scene = Scene()
    scene.wake()
    edited = scene.editor(scene.pictures, scene.change()).pictures.detach()
    sum(critic_loss(scene.critic, scene.sides(edited)).values()).backward()
    assert all(p.grad is not None for p in scene.critic.stem.parameters())
    assert all(p.grad is None for network in (scene.editor, scene.text, scene.generator) for p in network.parameters())


def test_the_editor_learns_from_all_its_losses() -> None:
    scene = Scene()
    scene.wake()
    scene.generator.requires_grad_(False)
    scene.text.requires_grad_(False)
    scene.critic.requires_grad_(False)
    made = scene.editor(scene.pictures, scene.change())
    sides = scene.sides(made.pictures)
    terms = editor_loss(scene.critic, sides, EditWeights())
    terms |= preservation_loss(scene.pictures, made, sides.changes, EditWeights())
    dotted = torch.where(laid(torch.tensor([18]), torch.rand(1, 3), 32) > 0.5, 1.0, -1.0).expand(N, 3, -1, -1)
    grey, on = torch.zeros_like(scene.pictures) - 1, torch.ones(N, dtype=torch.bool)
    terms |= told_by_twin(grey, scene.editor.without_pattern(grey, scene.change()), dotted, on)
    assert set(terms) == set(EditWeights.__dataclass_fields__)
    for name, term in terms.items():
        marks = scene.editor.marks
        taught = {"mark": marks.color[-1].bias, "page": marks.page[-1].bias}.get(name, scene.editor.to_colors.bias)
        (gradient,) = torch.autograd.grad(term, taught, retain_graph=True)
        assert bool(gradient.any())


def edited(x: Tensor, picture: Tensor, logits: Tensor, *, choice: int = 0) -> Edited:
    """An edit of x that comes to a picture, m as its logits say."""
    n, _, height, width = x.shape
    colors = torch.cat([torch.zeros(n, 9, height, width), picture - x], dim=1)
    pages = torch.zeros(n, NUM_CHOICES)
    pages[:, choice] = 50.0
    return Edited(picture, logits.sigmoid(), logits, colors, pages, torch.ones(n, 3), torch.zeros(n, 4, 3))


def test_a_twin_that_is_met_costs_nothing_and_tells_where_it_differs() -> None:
    x = torch.zeros(1, 3, 16, 16)
    twin = x.clone()
    twin[:, 0, :, :8] = 1.0  # the left half
    sure = torch.where(torch.arange(16)[None, None, None] < 8, 20.0, -20.0).expand(1, 1, 16, 16)
    met = edited(x, twin, sure)
    missed = met._replace(logits=-sure)
    on = torch.tensor([True])
    terms = {name: told_by_twin(x, made, twin, on) for name, made in (("met", met), ("missed", missed))}
    assert terms["met"]["pair"] == 0
    assert terms["met"]["where"] < 2 < terms["missed"]["where"]
    assert terms["met"]["page"] < 1e-6
    assert terms["met"]["mark"] == 0
    barely = told_by_twin(x, met._replace(logits=-20 + 0 * sure), x + 0.9 * LEAST_APART, ~on)
    assert barely["where"] < 1e-3


def test_where_twins_differ_gaps_of_a_pattern_count_and_what_lies_beside_it_does_not() -> None:
    x, twin = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    twin[..., 6:24, 6:8] = twin[..., 6:24, 12:14] = 1.5  # two stripes
    generated = torch.tensor([False])
    where = differs(x, twin, generated)[0, 0]
    assert bool((where[8:22, 6:14] == 1).all())
    assert not where[:, :4].any()
    assert not where[:, 16:].any()
    twin[..., 12:14], twin[..., 26:28] = 0, 1.5  # too far from each other to be of one pattern
    assert not differs(x, twin, generated)[0, 0, 8:22, 12:22].any()


def test_pictures_of_one_shot_differ_wherever_they_do_and_generated_twins_only_where_they_do_clearly() -> None:
    x, twin = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
    twin[..., 6:24, 8:9] = 0.15  # a thin and faint line
    generated, shot = differs(x, twin, torch.tensor([False, True]))
    assert not generated.any()
    assert bool((shot[0, 8:22, 8] == 1).all())
    assert not differs(x, x, torch.tensor([True, True])).any()


def test_the_page_that_a_twin_asks_for_is_told() -> None:
    x, sure, on = torch.full((1, 3, 64, 64), -0.5), torch.full((1, 1, 64, 64), 20.0), torch.tensor([True])
    twin = x + laid(torch.tensor([12]), torch.rand(1, 3), 64)
    told, missed = (told_by_twin(x, edited(x, x, sure, choice=asked), twin, on, shot=True) for asked in (12, 0))
    assert told["page"] < 1e-6 < 1 < missed["page"]


def test_what_a_new_pattern_covers_says_nothing_of_the_rest_and_a_little_change_costs_next_to_nothing() -> None:
    x, sure, on = torch.full((1, 3, 64, 64), -0.5), torch.full((1, 1, 64, 64), 20.0), torch.tensor([True])
    marks = laid(torch.tensor([4]), torch.tensor([[0.0, 0.0, 0.0]]), 64)
    twin = x + marks
    where = differs(x, twin, on)
    cost = [
        float(twin_loss(x, edited(x, x + by, sure), twin, where, on, EditWeights())["pair"]) for by in (0, 0.02, 0.2)
    ]
    assert cost[0] < 0.3  # 1.7 if the marks themselves counted; their edges do
    assert cost[1] - cost[0] < 0.05 * (cost[2] - cost[0])


def test_twins_that_are_alike_although_their_texts_are_not_teach_nothing() -> None:
    x, sure = torch.zeros(2, 3, 16, 16), torch.full((2, 1, 16, 16), 20.0)
    half = x.clone()
    half[..., :8] = 1.0
    made = edited(x, half, sure, choice=3)
    told = {changes: told_by_twin(x, made, x, torch.tensor([changes, changes])) for changes in (True, False)}
    assert not any(told[True].values())
    assert all(told[False][name] for name in ("pair", "page", "where"))  # the same text must change nothing
    assert told[False]["mark"] == 0  # but then it says nothing of marks


def test_only_pictures_that_get_their_own_text_must_stay() -> None:
    x = torch.zeros(2, 3, 4, 4)
    made = edited(x, x + 1, torch.full((2, 1, 4, 4), -50.0))
    weights = EditWeights(same=2.0)
    assert preservation_loss(x, made, torch.tensor([True, True]), weights)["same"] == 0
    assert preservation_loss(x, made, torch.tensor([True, False]), weights)["same"] == 1.0


def test_a_batch_in_which_no_text_changes_gives_finite_losses() -> None:
    scene = Scene()
    scene.new = scene.old.clone()
    made = scene.editor(scene.pictures, scene.change())
    sides = scene.sides(made.pictures)
    assert not sides.changes.any()
    terms = critic_loss(scene.critic, sides) | editor_loss(scene.critic, sides, EditWeights())
    assert all(bool(torch.isfinite(term)) for term in terms.values())
    assert terms["direction"] == 0

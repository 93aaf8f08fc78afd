"""The report on edits: its ends must come out as they must, whatever the model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional.image import structural_similarity_index_measure

from bespoke.cli import run
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import sample_drawing, write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.editing import editable
from bespoke.errors import UserError
from bespoke.evaluation.edits import STRENGTHS, Edits, Way, ask_editor, background_error, changed, evaluate_edits
from bespoke.evaluation.edits_exact import FRESH, ExactRow, _cases, _told, exact_edits, is_builtin
from bespoke.evaluation.edits_report import edits_data, edits_page
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.metrics import ssim
from bespoke.networks import build_editor
from bespoke.pipeline import Pipeline


@pytest.fixture(scope="session")
def editing_model(model: Pipeline) -> Pipeline:
    """The model of fixed weights, with an editor of fixed weights that does something."""
    networks = model.networks
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        editor = build_editor(networks.settings)
        torch.nn.init.normal_(editor.to_colors.weight, std=0.3)
    parts = (networks.text_encoder, networks.generator, networks.discriminator)
    taught = type(networks)(networks.settings, networks.vocabulary_size, *parts, editor.eval().requires_grad_(False))
    return Pipeline(taught, model.tokenizer, identity=model.identity)


@pytest.fixture(scope="module")
def edits(editing_model: Pipeline, boxes: PairStore, judges: list[Examined]) -> Edits:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bespoke.evaluation.edits.INVERSION_STEPS", 3)
        patch.setattr("bespoke.evaluation.edits.INVERTED", 4)
        return evaluate_edits(editing_model, boxes, judges, split="test", seed=3)


def value(edits: Edits, way: Way, metric: str) -> float:
    return edits.find(way, metric)[0].value.value


def test_the_picture_as_it_was_preserves_all(edits: Edits) -> None:
    identity = Way("identity")
    assert value(edits, identity, "change") == value(edits, identity, "background") == 0
    assert value(edits, identity, "untouched") == 1
    assert value(edits, identity, "ssim") == pytest.approx(1)


def test_more_strength_changes_more_and_every_way_is_measured(edits: Edits) -> None:
    changes = [value(edits, Way("edit", strength), "change") for strength in STRENGTHS]
    assert changes[0] > 0
    assert changes == sorted(changes)
    for way in (Way("identity"), Way("anew"), Way("inversion"), *(Way("edit", s) for s in STRENGTHS)):
        assert len(edits.find(way, "prefers_new")) == 2  # a row a judge
        assert 0 <= value(edits, way, "retrieval") <= 1
    assert edits.find(Way("inversion"), "change")[0].value.n == 4


def test_pictures_at_the_models_size_are_edited_as_the_pipeline_does(editing_model: Pipeline, boxes: PairStore) -> None:
    x = torch.from_numpy(boxes.take(boxes.indices("test")[:3]))
    texts, sources = ["a large blue box"] * 3, ["a large red box"] * 3
    ((colors, masks),) = ask_editor(editing_model, x, texts, sources, [5, 6, 7])
    ours = changed(x, colors, masks, 0.7)
    for row in range(3):
        picture = Image.fromarray(x[row].permute(1, 2, 0).numpy())
        made = editing_model.edit(picture, texts[row], source=sources[row], seed=5 + row).images[0]
        theirs = (editable(made, 32).seen[0] + 1) * 127.5
        assert (theirs - ours[row].float()).abs().max() <= 1.01


def test_the_background_is_the_outer_eighth() -> None:
    x = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    inside, outside = x.clone(), x.clone()
    inside[:, :, 4:-4, 4:-4] = 255
    outside[:, :, 0] = 255
    assert background_error(x, inside).tolist() == [0, 0]
    assert background_error(x, outside)[0].item() == pytest.approx(32 / (32 * 32 - 24 * 24))


def test_ssim_is_that_of_torchmetrics() -> None:
    first, second = torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    second = 0.7 * first + 0.3 * second
    theirs = structural_similarity_index_measure(first, second, data_range=1.0, reduction="none")
    # Theirs leaves out the margin, where the window would look past the edge.
    ours = ssim(first, second)
    assert torch.allclose(ours.float(), theirs, atol=0.02)
    assert torch.allclose(ssim(first, first), torch.ones(3, dtype=torch.float64))


def test_a_model_that_was_not_taught_cannot_be_asked(model: Pipeline, boxes: PairStore, judges: list[Examined]) -> None:
    with pytest.raises(UserError, match="not been taught to edit"):
        evaluate_edits(model, boxes, judges)


@pytest.fixture(scope="module")
def exact(editing_model: Pipeline) -> list[ExactRow]:
    return exact_edits(editing_model, num_pictures=4, seed=0, tell=lambda what, done, total: None)


def test_the_true_answer_is_right_and_the_source_is_not(exact: list[ExactRow]) -> None:
    for attribute in ("color", "pattern", "background"):
        rows = {row.way: row for row in exact if row.attribute == attribute}
        assert rows[Way("target")].to_target == 0
        assert rows[Way("target")].right >= 0.75  # colours are told by their pixels, at 32 pixels not always right
        assert (rows[Way("identity")].background > 0.01) == (attribute == "background")
        assert rows[Way("identity")].right < rows[Way("target")].right
        assert rows[Way("identity")].to_target > 0
        assert rows[Way("anew")].background > 0


def test_a_pattern_counts_wherever_on_the_product_it_begins() -> None:
    cases = list(_cases("pattern", 8, 64, FRESH))
    elsewhere = [sample_drawing(case.seed, case.number, 64, case.wanted, lay=9).picture for case in cases]
    told = [_told(case, "pattern", np.asarray(picture)) for case, picture in zip(cases, elsewhere, strict=True)]
    right = sum(shown == case.wanted.pattern for case, shown in zip(cases, told, strict=True))
    kept = sum(_told(case, "pattern", case.picture) == case.attributes.pattern for case in cases)
    assert min(right, kept) >= 7


def test_a_rough_picture_of_a_pattern_is_still_told() -> None:
    """Roughness is many weak waves: summed up they are as far as a pattern, squared they are not."""
    cases, rng = list(_cases("pattern", 12, 64, FRESH + 5)), np.random.default_rng(0)
    right = []
    for case in cases:
        rough = np.asarray(sample_drawing(case.seed, case.number, 64, case.wanted, lay=40).picture, dtype=float)
        for picture in (rough + rng.normal(0, 16, rough.shape), 0.85 * rough + 0.15 * case.picture):
            right.append(_told(case, "pattern", picture.clip(0, 255).round()) == case.wanted.pattern)
    assert sum(right) >= 0.95 * len(right)


def test_only_a_drawn_catalogue_is_asked_for_exact_answers(boxes: PairStore, tmp_path: Path) -> None:
    drawn = prepare(Catalogue.open(str(write_sample(tmp_path / "shop", 6, 32, 0))), 32, tmp_path / "cache")
    assert is_builtin(drawn)
    assert not is_builtin(boxes)


def test_the_report_holds_everything_and_asks_for_nothing(edits: Edits, exact: list[ExactRow]) -> None:
    edits.texts[0] = "<script>alert(1)</script>"
    for language in ("en", "ja"):
        html = edits_page(edits, exact, "run 0123", language, reads=False)  # type: ignore[arg-type]
        assert "<script" not in html
        assert "://" not in html.replace("http://www.w3.org", "")
        assert html.count("<figure>") == 3 * len(edits.before)
        assert "<circle" in html
    data = json.loads(json.dumps(edits_data(edits, exact, "run 0123", reads=False)))
    assert {row["way"] for row in data["rows"]} == {"identity", "anew", "edit", "inversion"}
    assert data["exact"][0]["attribute"] == "color"


def test_edits_are_evaluated_from_the_command_line(
    editing_model: Pipeline,
    boxes_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BESPOKE_CACHE", str(boxes_folder.parent / "cache"))
    monkeypatch.setattr("bespoke.evaluation.teach.PICTURES", 128)
    monkeypatch.setattr("bespoke.commands.evaluate.FAMILIES", ("patches",))
    monkeypatch.setattr("bespoke.evaluation.edits.INVERSION_STEPS", 2)
    editing_model.save_pretrained(tmp_path / "run" / "model")
    command = ["evaluate", str(tmp_path / "run"), str(boxes_folder), "--edit", "--language", "en"]
    assert run([*command, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "edited, strength 0.7: Prefers the new text" in told
    assert "as it was: " in told
    data = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert data["protocol"]["split"] == "validation"
    assert data["exact"] == []  # only of the built-in catalogue the answers are known
    assert "Edits that nobody selected" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert run([*command, "--out", str(tmp_path / "out")]) == 2  # nothing is overwritten

"""Are the figures of papers those that the packages of others give, and is it said what is missing?"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from bespoke.cli import run
from bespoke.data.captions import Tokenizer
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation import paper_weights
from bespoke.evaluation.evaluate import evaluate
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.metrics import frechet_distance, inception_score, kernel_distance
from bespoke.evaluation.paper_metrics import DISTANCES, PAPER_METRICS, as_data
from bespoke.evaluation.paper_networks import CLIP_COLORS, DINOV2_SIDE, IMAGENET_COLORS, Clip, Inception, prepared
from bespoke.evaluation.paper_texts import PAPER_TEXTS, missing_sentence
from bespoke.evaluation.paper_weights import DINOV2, Asked, Missing, asked_networks, open_networks
from bespoke.evaluation.questions import ask
from bespoke.evaluation.report import page
from bespoke.evaluation.result import Evaluation
from bespoke.evaluation.seeing import draw
from bespoke.evaluation.verdict import weigh
from bespoke.networks import build_networks
from bespoke.pages.texts import Line
from bespoke.pipeline import Pipeline

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TEXTS = ["a small red box", "box, green, large " * 9, "A BLUE BAR!", "赤い箱", "", "a"]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP and a DINOv2 of random weights, as their library saves them."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, Dinov2Config, Dinov2Model
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = tmp_path_factory.mktemp("weights")
    small: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}
    # All bytes, within a word and at its end, as CLIP's own vocabulary begins.
    alphabet = sorted(import_module("tokenizers").pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *(byte + "</w>" for byte in alphabet), "<|startoftext|>", "<|endoftext|>"]
    last = len(pieces) - 1
    text = {"vocab_size": len(pieces), "max_position_embeddings": 24, "num_hidden_layers": 2}
    ends = {"bos_token_id": last - 1, "eos_token_id": last, "pad_token_id": last}
    sees = {"image_size": 28, "patch_size": 14, "num_hidden_layers": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        clip = CLIPModel(CLIPConfig(text_config=small | text | ends, vision_config=small | sees, projection_dim=16))
        dinov2 = Dinov2Model(Dinov2Config(**small | sees))
    clip.visual_projection.weight.data.neg_()  # as it was drawn all cosines are negative, which scores 0
    clip.save_pretrained(folder / "clip")
    CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]).save_pretrained(
        folder / "clip"
    )
    dinov2.save_pretrained(folder / "dinov2")
    return folder


def by_pillow(pictures: Tensor, side: int, colors: tuple[tuple[float, ...], ...]) -> Tensor:
    """As CLIP and DINOv2 are fed in the papers."""
    scaled = [
        np.asarray(Image.fromarray(p.permute(1, 2, 0).numpy()).resize((side, side), Image.Resampling.BICUBIC))
        for p in pictures
    ]
    mean, deviation = (torch.tensor(values)[:, None, None] for values in colors)
    return (torch.from_numpy(np.stack(scaled)).permute(0, 3, 1, 2).float() / 255 - mean) / deviation


@pytest.mark.parametrize("side", [28, 224])
def test_pictures_are_scaled_as_pillow_scales_them(side: int) -> None:
    expected = by_pillow(PICTURES, side, CLIP_COLORS)
    found = prepared(PICTURES, side, *CLIP_COLORS)
    one_level = 1 / 255 / min(CLIP_COLORS[1])
    assert float((found - expected).abs().max()) < 1.01 * one_level
    assert float((found - expected).abs().mean()) < 0.02 * one_level


def test_clip_sees_and_reads_what_its_own_library_does(weights: Path) -> None:
    from transformers import AutoTokenizer, CLIPModel

    ((network,), missing) = open_networks(asked_networks([f"clip={weights / 'clip'}"]), CPU)
    assert isinstance(network, Clip)
    assert missing == []
    model = CLIPModel.from_pretrained(weights / "clip").eval()
    tokens = AutoTokenizer.from_pretrained(weights / "clip")(
        TEXTS, padding=True, truncation=True, max_length=24, return_tensors="pt"
    )
    assert tokens["input_ids"].shape == (6, 24)  # one of them is longer
    with torch.no_grad():
        told = model(pixel_values=by_pillow(PICTURES, 28, CLIP_COLORS), **tokens)
    seen, read = network.look(PICTURES), network.read(TEXTS)
    torch.testing.assert_close(nn.functional.normalize(seen), told.image_embeds, atol=2e-3, rtol=0)
    torch.testing.assert_close(nn.functional.normalize(read), told.text_embeds)
    assert network.card.library.startswith("transformers ")
    digest = hashlib.sha256((weights / "clip" / "model.safetensors").read_bytes()).digest()
    assert network.card.weights == hashlib.sha256(digest).hexdigest()[:12]


def test_dinov2_gives_the_class_token_of_its_own_library(weights: Path) -> None:
    from transformers import Dinov2Model

    ((network,), _) = open_networks(asked_networks([f"dinov2={weights / 'dinov2'}"]), CPU)
    model = Dinov2Model.from_pretrained(weights / "dinov2").eval()
    with torch.no_grad():
        told = model(pixel_values=by_pillow(PICTURES, DINOV2_SIDE, IMAGENET_COLORS))
    torch.testing.assert_close(network.look(PICTURES), told.last_hidden_state[:, 0], atol=2e-2, rtol=0)


def test_colours_are_those_that_the_folder_names(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "clip"
    other.mkdir()
    for file in (weights / "clip").iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    usual, changed = (
        open_networks(asked_networks([f"clip={folder}"]), CPU)[0][0] for folder in (weights / "clip", other)
    )
    assert not torch.allclose(usual.look(PICTURES), changed.look(PICTURES))
    (other / "preprocessor_config.json").write_text("{", "utf-8")
    assert "cannot be used (" in told(f"clip={other}")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torchmetrics: it keeps features, and has one part
def test_the_inception_score_is_that_of_torchmetrics() -> None:
    logits = 3 * torch.randn(60, 12, generator=torch.Generator().manual_seed(0))
    reference = InceptionScore(feature=nn.Identity(), splits=1)
    reference.update(logits)
    assert inception_score(logits, num_parts=1) == pytest.approx(float(reference.compute()[0]), rel=1e-5)
    parts = [inception_score(part, num_parts=1) for part in logits.split(6)]
    assert inception_score(logits) == pytest.approx(sum(parts) / 10)
    same = torch.ones(20, 5)
    assert inception_score(same) == pytest.approx(1)


@pytest.fixture(scope="module")
def with_papers(model: Pipeline, boxes: PairStore, judges: list[Examined], weights: Path) -> Evaluation:
    networks, _ = open_networks(asked_networks([f"{name}={weights / name}" for name in ("clip", "dinov2")]), CPU)
    return evaluate(model, boxes, judges, split="test", balances=(0.0, 1.0), seed=3, networks=networks)


def test_figures_are_those_of_a_direct_computation(
    with_papers: Evaluation, model: Pipeline, boxes: PairStore, weights: Path
) -> None:
    from transformers import AutoTokenizer, CLIPModel, Dinov2Model

    questions = ask(boxes, "test", num_pictures=2000, seed=3)
    assert len(questions) == 60
    pictures = {
        "real": torch.from_numpy(boxes.take(questions.index)),
        **{str(b): torch.cat(list(draw(model, questions.captions, questions.seeds, b))) for b in (0.0, 1.0)},
    }
    clip, dinov2 = CLIPModel.from_pretrained(weights / "clip"), Dinov2Model.from_pretrained(weights / "dinov2")
    read = AutoTokenizer.from_pretrained(weights / "clip")
    scores, features = {}, {}
    with torch.no_grad():
        for name, some in pictures.items():
            tokens = read(questions.captions, padding=True, truncation=True, max_length=24, return_tensors="pt")
            told = clip(pixel_values=by_pillow(some, 28, CLIP_COLORS), **tokens)
            scores[name] = float((told.image_embeds * told.text_embeds).sum(1).clamp(min=0).mean()) * 100
            seen = dinov2(pixel_values=by_pillow(some, DINOV2_SIDE, IMAGENET_COLORS))
            features[name] = seen.last_hidden_state[:, 0]
    rows = {(row.metric, row.balance): row for row in with_papers.papers.rows}
    assert sorted(rows) == [(m, b) for m in ("clip_score", "fd_dinov2") for b in (0.0, 1.0)]
    for balance in (0.0, 1.0):
        score, distance = rows["clip_score", balance], rows["fd_dinov2", balance]
        assert score.generated.value == pytest.approx(scores[str(balance)], abs=0.02) != 0
        assert score.real.value == pytest.approx(scores["real"], abs=0.02)
        assert score.generated.low is not None
        assert score.generated.low < score.generated.value
        assert (score.training, score.generated_half) == (None, None)
        expected = frechet_distance(features["real"], features[str(balance)])
        assert distance.generated.value == pytest.approx(expected, rel=0.02)
        assert distance.generated.n == 60
        # Real pictures stand beside generated ones at the same n: 60 of training, 30 of the split.
        assert distance.training is not None
        assert distance.generated_half is not None
        assert (distance.training.n, distance.generated_half.n, distance.real.n) == (60, 30, 30)
        assert distance.training.value < distance.generated.value
        assert distance.real.value < distance.generated_half.value
        assert distance.at_equal_n == (distance.generated, distance.training)


def test_nothing_is_decided_by_the_networks_of_others(with_papers: Evaluation, evaluation: Evaluation) -> None:
    assert weigh(with_papers) == weigh(evaluation)
    assert with_papers.rows == evaluation.rows
    assert evaluation.papers.cards == ()
    assert PAPER_TEXTS["papers"].en not in page(evaluation, "en")


def test_the_page_and_the_data_name_networks_figures_and_what_is_missing(with_papers: Evaluation) -> None:
    (line,) = open_missing("inception")
    shown = replace(with_papers, papers=replace(with_papers.papers, missing=(line,)))
    html = page(shown, "en")
    assert "By networks of others" in html
    for card in shown.papers.cards:
        assert card.weights in html
    assert html.count("FD-DINOv2") == html.count("CLIP score") == 1
    assert "inception: needs" in html
    assert PAPER_TEXTS["papers"].ja in page(shown, "ja")
    data = json.loads(json.dumps(as_data(shown.papers, "en")))
    assert [row["metric"] for row in data["rows"]] == 2 * ["clip_score", "fd_dinov2"]
    assert data["rows"][0]["generated"]["n"] == 60
    assert data["missing"] == [{"network": "inception", "text": missing_sentence(line, "en")}]


def open_missing(name: str) -> list[Line]:
    """What is said where a network is asked for, one that cannot be had."""
    with pytest.raises(Missing) as caught:
        open_networks(asked_networks([name]), CPU)
    return [caught.value.line]


def test_every_metric_has_a_name() -> None:
    assert all(f"paper_metric.{metric}" in PAPER_TEXTS for metric in PAPER_METRICS)
    assert {name for found in DISTANCES.values() for name in found} <= set(PAPER_METRICS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fid"], "--metrics fid: expected one of all, inception, clip, dinov2, or NAME=PLACE of its weights"),
        (["clip="], "--metrics clip=: expected one of"),
        (["all=x"], "--metrics all=x: expected one of"),
    ],
)
def test_a_word_that_names_no_network_is_told(words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        asked_networks(words)


def test_a_network_that_is_named_is_demanded_and_all_is_what_there_is() -> None:
    assert asked_networks([]) == []
    assert asked_networks(["all", "clip=here"]) == [
        Asked("inception", None, demanded=False),
        Asked("clip", "here", demanded=True),
        Asked("dinov2", None, demanded=False),
    ]
    assert asked_networks(["clip=here", "all"]) == asked_networks(["all", "clip=here"])


def told(word: str) -> str:
    with pytest.raises(UserError) as caught:
        open_networks(asked_networks([word]), CPU)
    return str(caught.value)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and nothing in any cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "repository"), [("clip", "openai/clip-vit-large-patch14"), ("dinov2", "facebook/dinov2-large")]
)
def test_weights_that_are_not_here_are_named_with_the_command_that_gets_them(name: str, repository: str) -> None:
    folder = repository.split("/")[1]
    said = told(name)
    assert said.startswith(f"{name}: the weights {repository} are not on this machine and could not be fetched (")
    assert f"hf download {repository} --revision " in said
    assert f"--local-dir {folder} and then give --metrics {name}={folder}" in said
    assert "\n" not in said


def test_weights_in_the_hubs_cache_need_no_network(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    repository, commit = DINOV2.split("@")
    snapshot = tmp_path / "hub" / f"models--{repository.replace('/', '--')}" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for file in (weights / "dinov2").iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    ((network,), _) = open_networks(asked_networks(["dinov2"]), CPU)
    assert network.card.model == f"facebook/dinov2-large@{commit[:12]}"


def test_weights_that_are_no_such_network_are_told(weights: Path, tmp_path: Path) -> None:
    for place in ("nowhere", "nowhere/", "/no/where", "./no"):
        assert told(f"clip={place}") == (
            f"--metrics clip={place}: no such folder; give one, or a hub id like owner/name"
        )
    (tmp_path / "empty").mkdir()
    assert "No such file" in told(f"clip={tmp_path / 'empty'}")
    assert "config.json says that it is a dinov2, not a clip" in told(f"clip={weights / 'dinov2'}")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_bytes((weights / "dinov2" / "config.json").read_bytes())
    (pickled / "pytorch_model.bin").write_bytes(b"never read")
    said = told(f"dinov2={pickled}")
    assert "model.safetensors" in said
    assert "hf download facebook/dinov2-large" in said
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "config.json").write_bytes((weights / "dinov2" / "config.json").read_bytes())
    (cut / "model.safetensors").write_bytes((weights / "dinov2" / "model.safetensors").read_bytes()[:-100])
    assert "cannot be used" in told(f"dinov2={cut}")


def test_weights_that_lack_a_part_are_not_filled_up_at_random(weights: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    (tmp_path / "config.json").write_bytes((weights / "dinov2" / "config.json").read_bytes())
    tensors = load_file(weights / "dinov2" / "model.safetensors")
    del tensors["layernorm.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert "1 weights are not in it, such as layernorm.weight" in told(f"dinov2={tmp_path}")


@pytest.mark.parametrize(
    ("name", "module", "command"),
    [
        ("clip", "transformers", "-m pip install 'transformers>=5.23'"),
        ("dinov2", "transformers", "-m pip install 'transformers>=5.23'"),
        ("inception", "torch_fidelity", "-m pip install --no-deps 'torch-fidelity>=0.4'"),
    ],
)
def test_a_package_that_is_not_here_is_named_with_the_command(
    name: str, module: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    assert told(name) == f"{name}: needs the package {module.replace('_', '-')}; run: {sys.executable} {command}"


def package(folder: Path, name: str, code: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code, "utf-8")


def test_a_torchvision_of_another_build_is_named_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("torchvision", "torch_fidelity")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, "torch_fidelity", "")
    package(tmp_path, "torchvision", "raise RuntimeError('operator torchvision::nms does not exist')")
    for word in ("inception", f"clip={weights / 'clip'}"):
        said = told(word)
        assert "torchvision does not import (operator torchvision::nms does not exist)" in said
        assert f"another torch than {torch.__version__}" in said
        assert "-m pip install --no-deps --force-reinstall torchvision" in said


def test_all_leaves_out_what_is_missing_and_fails_only_where_nothing_is_left(
    weights: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    asked = asked_networks(["all", f"clip={weights / 'clip'}"])
    networks, missing = open_networks(asked, CPU)
    assert [network.card.name for network in networks] == ["clip"]
    assert [line.values["network"] for line in missing] == ["inception", "dinov2"]
    said = told("all")
    assert said.startswith("--metrics all: none can be asked here; inception: needs")
    assert "; clip: the weights" in said
    assert "; dinov2: the weights" in said


def test_the_command_writes_figures_and_says_what_is_missing(
    boxes_folder: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, offline: None
) -> None:
    monkeypatch.chdir(boxes_folder.parent)
    monkeypatch.setenv("BESPOKE_CACHE", str(boxes_folder.parent / "cache"))
    monkeypatch.setattr("bespoke.evaluation.teach.PICTURES", 128)
    monkeypatch.setattr("bespoke.commands.evaluate.FAMILIES", ("patches",))
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    tokenizer = Tokenizer.train(["a small red box", "a large blue post"], 320)
    networks = build_networks(import_module("bespoke.config").PRESETS["test32"].model, tokenizer.vocabulary_size)
    Pipeline(networks, tokenizer).save_pretrained(tmp_path / "model")
    command = ["evaluate", str(tmp_path / "model"), "boxes", "--balance", "0.5", "--num-pictures", "50"]
    out = tmp_path / "report"
    asked = ["--metrics", "all", "--metrics", f"clip={weights / 'clip'}", "--out", str(out), "--language", "en"]
    assert run([*command, *asked]) == 0
    told = capsys.readouterr().out
    _, first, second, _ = told.split("\n", 3)
    assert first.startswith("inception: needs the package torch-fidelity; run: ")  # before judges are taught
    assert second.startswith("dinov2: the weights facebook/dinov2-large are not on this machine")
    assert "\nBy networks of others, as papers measure\n  CLIP score \u2191: " in told
    data = json.loads((out / "report.json").read_text("utf-8"))["papers"]
    assert [row["metric"] for row in data["rows"]] == ["clip_score"]
    assert [line["network"] for line in data["missing"]] == ["inception", "dinov2"]
    assert "inception: needs" in (out / "report.html").read_text("utf-8")
    # What is named must be measured: said before anything that takes long, and nothing is written.
    assert run([*command, "--metrics", "inception", "--out", str(tmp_path / "other")]) == 2
    assert capsys.readouterr().err.startswith("bespoke: inception: needs the package torch-fidelity; run: ")
    assert not (tmp_path / "other").exists()
    assert run([*command, "--edit", "--metrics", "clip"]) == 2
    assert "leave out --balance, --set, --gate, --against and --metrics" in capsys.readouterr().err


def torchvision_imports() -> bool:
    if find_spec("torchvision") is None or find_spec("torch_fidelity") is None:
        return False
    try:
        import_module("torchvision")
    except Exception:
        return False
    return True


def test_weights_of_inception_are_those_that_were_published_or_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights.pth"
    with pytest.raises(Missing, match=r"weights\.pth are not on this machine .* curl -L -o weights\.pth"):
        paper_weights._inception_file(str(file), "https://localhost/weights.pth")
    file.write_bytes(b"something else")
    with pytest.raises(Missing, match=r"cannot be used \(sha256 [0-9a-f]{12}\)"):
        paper_weights._inception_file(str(file), "https://localhost/weights.pth")
    # Fetched once into the cache, by any way that there is.
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paper_weights, "INCEPTION_SHA256", hashlib.sha256(b"something else").hexdigest())
    found = paper_weights._inception_file(None, file.as_uri())
    assert found == tmp_path / "cache" / "inception" / "weights.pth"
    file.unlink()
    assert paper_weights._inception_file(None, file.as_uri()).read_bytes() == b"something else"


@pytest.mark.skipif(not torchvision_imports(), reason="needs torch-fidelity and a torchvision that fits torch")
def test_inception_figures_are_those_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = import_module("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    file = tmp_path / "random.pth"
    with torch.random.fork_rng(devices=[]), monkeypatch.context() as patch:
        torch.manual_seed(0)
        patch.setattr("torch.load", lambda *args, **kwargs: None)
        patch.setattr(extractor, "load_state_dict", lambda self, state: None)
        drawn = extractor("inception", ["2048"], feature_extractor_weights_path="none").state_dict()
        # Layers as they are drawn make every signal smaller.
        torch.save({name: 2.2 * value if "conv.weight" in name else value for name, value in drawn.items()}, file)
    monkeypatch.setattr(paper_weights, "INCEPTION_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    ((network,), _) = open_networks(asked_networks([f"inception={file}"]), CPU)
    assert isinstance(network, Inception)
    generator = torch.Generator().manual_seed(0)
    sets = [torch.randint(0, high, (24, 3, 32, 32), dtype=torch.uint8, generator=generator) for high in (256, 200)]
    real, fake = (network.look(pictures) for pictures in sets)
    assert real.shape == (24, 2048)
    expected = import_module("torch_fidelity").calculate_metrics(
        input1=torch.utils.data.Subset(sets[1], range(24)),  # type: ignore[arg-type]
        input2=torch.utils.data.Subset(sets[0], range(24)),  # type: ignore[arg-type]
        feature_extractor_weights_path=str(file),
        fid=True,
        kid=True,
        isc=True,
        cuda=False,
        cache=False,
        verbose=False,
        isc_splits=1,
        kid_subsets=1,
        kid_subset_size=24,
        batch_size=24,
        save_cpu_ram=True,
    )
    assert frechet_distance(real, fake) == pytest.approx(expected["frechet_inception_distance"], rel=1e-3)
    own = kernel_distance(real, fake, generator=generator, num_subsets=1)
    assert own == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3)
    score = inception_score(network.logits(fake), num_parts=1)
    assert score == pytest.approx(expected["inception_score_mean"], rel=1e-4)
    assert score > 1

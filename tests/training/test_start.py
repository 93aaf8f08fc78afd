"""Does a training begin where colours and words already find each other?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from bespoke.config import resolve
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import make_front_end
from bespoke.data.levels import to_signed
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.networks import Networks, build_networks
from bespoke.training.start import start_from_canonical
from bespoke.training.workplace import Workplace

HERE = Workplace(torch.device("cpu"))


@pytest.fixture(scope="module")
def mugs(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("mugs")
    return prepare(
        Catalogue.open(write_sample(folder / "catalogue", 240, 32, seed=0, objects=("mug",))), 32, folder / "cache"
    )


def fresh(store: PairStore) -> tuple[Networks, Tokenizer]:
    config = resolve("test32")
    front_end = make_front_end(config.model, (text for i in store.indices("train") for text in store.captions(int(i))))
    assert isinstance(front_end, Tokenizer)
    torch.manual_seed(0)
    return build_networks(config.model, front_end.vocabulary_size), front_end


@torch.no_grad()
def found(networks: Networks, front_end: Tokenizer, store: PairStore) -> float:
    """Mean share of the other validation pictures that are closer to a picture's first caption than it is itself."""
    held_out = store.indices("validation")
    told = networks.text_encoder.alignment(front_end.encode([store.captions(int(i))[0] for i in held_out])).sentence
    seen = networks.discriminator(to_signed(torch.from_numpy(store.take(held_out)))).embedding
    similar = F.normalize(told, dim=1) @ seen.T
    return float((similar > similar.diagonal()[:, None]).float().mean())


def test_captions_lead_to_pictures_before_the_first_step(mugs: PairStore) -> None:
    networks, front_end = fresh(mugs)
    chance = found(networks, front_end, mugs)
    start_from_canonical(networks, mugs, front_end, HERE)
    assert chance > 0.35
    assert found(networks, front_end, mugs) < 0.25


def test_the_start_is_the_same_for_the_same_catalogue(mugs: PairStore) -> None:
    states = []
    for _ in range(2):
        networks, front_end = fresh(mugs)
        start_from_canonical(networks, mugs, front_end, HERE)
        states.append({name: network.state_dict() for name, network in networks.named().items()})
    for name, state in states[0].items():
        assert all(torch.equal(value, states[1][name][key]) for key, value in state.items()), name


def test_the_directions_alone_do_not_move_realism(mugs: PairStore) -> None:
    networks, front_end = fresh(mugs)
    before = {key: value.clone() for key, value in networks.text_encoder.realism.state_dict().items()}
    start_from_canonical(networks, mugs, front_end, HERE)
    after = networks.text_encoder.realism.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_catalogue_of_few_pairs_has_no_directions_and_no_trouble(tmp_path: Path) -> None:
    store = prepare(Catalogue.open(write_sample(tmp_path / "catalogue", 3, 32, seed=0)), 32, tmp_path / "cache")
    networks, front_end = fresh(store)
    start_from_canonical(networks, store, front_end, HERE)
    seen = networks.discriminator(to_signed(torch.from_numpy(store.take(store.indices("train")))))
    assert torch.isfinite(seen.embedding).all()

"""One step of training: who moves, and the same step by one process or two."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from bespoke.config import Config, resolve
from bespoke.data.batches import PairBatches
from bespoke.data.borrowed_eyes import INSTALL, PACKAGE
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.method import layers
from bespoke.method import projected as borrowed
from bespoke.networks import build_networks
from bespoke.training.set_up import projected_discriminator
from bespoke.training.step import Diverged, Players, changed, contrastive_step, draw, joint_step
from bespoke.training.workplace import Workplace, find_workplace

CPU = Workplace(torch.device("cpu"))
needs_eyes = pytest.mark.skipif(find_spec(PACKAGE.replace("-", "_")) is None, reason=f"needs `{INSTALL}`")


def make(config: Config, store: PairStore) -> tuple[Players, PairBatches]:
    captions = [caption for i in store.indices("train") for caption in store.captions(int(i))]
    tokenizer = Tokenizer.train(captions, config.model.vocabulary_size, config.model.caption_length)
    torch.manual_seed(0)
    networks = build_networks(config.model, tokenizer.vocabulary_size)
    projected = projected_discriminator(config) if config.loss.projected else None
    batches = PairBatches(store, "train", tokenizer, seed=0, batch_size=config.training.batch_size)
    return Players.make(networks, config, projected), batches


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    return prepare(Catalogue.open(write_sample(folder / "catalogue", 48, 32, 0)), 32, folder / "cache")


def weights(players: Players) -> dict[str, Tensor]:
    named = players.learning()
    return {
        f"{name}/{key}": value.clone().contiguous()
        for name, net in named.items()
        for key, value in net.state_dict().items()
    }


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {key.split("/")[0] for key in before if not torch.equal(before[key], after[key])}


def test_a_joint_step_moves_all_four_and_a_contrastive_step_two(store: PairStore) -> None:
    config = resolve("test32", ["training.augment=0.3"])
    players, batches = make(config, store)
    draws = draw(config, players.networks, (0, 0, 0), CPU, penalised=True)
    start = weights(players)
    contrastive_step(players, batches.at(0), draws, config, CPU)
    opened = weights(players)
    assert moved(start, opened) == {"discriminator", "alignment"}
    joint_step(players, batches.at(1), draws, config, CPU)
    assert moved(opened, weights(players)) == {"generator", "discriminator", "realism", "alignment"}


@needs_eyes
def test_a_projected_discriminator_learns_by_itself_and_teaches_the_generator(store: PairStore) -> None:
    loss_of = {}
    for weight in (0.0, 0.2, 0.4):
        config = resolve("test32", ["training.augment=0.3", f"loss.projected={weight}"])
        players, batches = make(config, store)
        draws = draw(config, players.networks, (0, 0, 0), CPU, penalised=True)
        start = weights(players)
        terms = joint_step(players, batches.at(0), draws, config, CPU)
        assert moved(start, weights(players)) == {"generator", "discriminator", "realism", "alignment"} | (
            {"projected"} if weight else set()
        )
        assert ("discriminator/projected" in terms) == ("generator/projected" in terms) == bool(weight)
        assert terms["discriminator/naturalness"] == loss_of.setdefault(
            "naturalness", terms["discriminator/naturalness"]
        )
        loss_of[weight] = terms.get("generator/projected")
        if players.projected is not None:
            still = players.projected.features.state_dict()
            assert not still  # nothing of what it looks through is kept with a run
            assert not list(players.projected.features.parameters())
    assert loss_of[0.4] == pytest.approx(2 * float(loss_of[0.2]))


def test_a_realism_head_learns_from_the_generator_alone(store: PairStore) -> None:
    config = resolve("test32", ["training.augment=0.3", "model.embeddings=head"])
    players, batches = make(config, store)
    draws = draw(config, players.networks, (0, 0, 0), CPU, penalised=True)
    start = weights(players)
    contrastive_step(players, batches.at(0), draws, config, CPU)
    opened = weights(players)
    assert moved(start, opened) == {"discriminator", "alignment"}
    players.optimizers.pop("alignment")  # to the generator's losses it is a constant, and so it stays
    joint_step(players, batches.at(1), draws, config, CPU)
    assert moved(opened, weights(players)) == {"generator", "discriminator", "realism"}


def test_colors_are_drawn_beside_everything_else(store: PairStore) -> None:
    plain, colored = (
        resolve("test32", ["training.augment=1", f"training.augment_colors={on}"]) for on in ("false", "true")
    )
    players, batches = make(plain, store)
    one, two = (draw(config, players.networks, (0,), CPU, penalised=True) for config in (plain, colored))
    for first, second in zip(one, two, strict=True):
        assert torch.equal(first, second[:, : first.shape[1]] if first.dim() == 2 else second)
    real = batches.at(0).pictures / 127.5 - 1
    assert torch.equal(changed(real, one.augment_real, plain), changed(real, two.augment_real, plain))
    assert not torch.equal(changed(real, two.augment_real, plain), changed(real, two.augment_real, colored))


def test_without_a_balance_every_picture_is_made_at_zero(store: PairStore) -> None:
    for balance in ("true", "false"):
        config = resolve("test32", [f"model.balance={balance}", "training.batch_size=32"])
        drawn = draw(config, make(config, store)[0].networks, (0,), CPU, penalised=False)
        assert bool(drawn.balance.any()) == (balance == "true")


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_at_one_balance_alone_all_else_is_drawn_as_ever(store: PairStore, balance: float) -> None:
    usual, alone = (resolve("test32", changes) for changes in ([], [f"training.balance={balance}"]))
    networks = make(usual, store)[0].networks
    one, two = (draw(config, networks, (0,), CPU, penalised=True) for config in (usual, alone))
    assert two.balance.tolist() == [balance] * usual.training.batch_size
    assert all(map(torch.equal, one._replace(balance=two.balance), two))


@pytest.mark.parametrize("penalty", ["finite_difference", "exact", "matching_aware"])
def test_every_penalty_enters_the_discriminators_loss(store: PairStore, penalty: str) -> None:
    config = resolve("test32", ["training.augment=0.3", f"loss.penalty={penalty}"])
    players, batches = make(config, store)
    for penalised in (True, False):
        draws = draw(config, players.networks, (0, 0, 0), CPU, penalised=penalised)
        terms = joint_step(players, batches.at(0), draws, config, CPU)
        assert ("discriminator/penalty" in terms) == penalised


def test_a_shared_encoder_learns_from_both_players(store: PairStore) -> None:
    config = resolve("test32", ["training.augment=0.3", "model.embeddings=shared"])
    players, batches = make(config, store)
    assert set(players.optimizers) == {"generator", "discriminator", "realism"}
    before = weights(players)
    joint_step(players, batches.at(0), draw(config, players.networks, (0,), CPU, penalised=False), config, CPU)
    assert "realism" in moved(before, weights(players))


def test_a_poisoned_weight_is_found_before_anything_moves(store: PairStore) -> None:
    config = resolve("test32", ["training.augment=0.3"])
    players, batches = make(config, store)
    with torch.no_grad():
        players.networks.discriminator.naturalness_head.weight[0, 0] = float("nan")
    before = weights(players)
    with pytest.raises(Diverged):
        joint_step(players, batches.at(0), draw(config, players.networks, (0,), CPU, penalised=False), config, CPU)
    after = weights(players)
    assert all(torch.equal(before[key].nan_to_num(), after[key].nan_to_num()) for key in before if "film" not in key)


def test_draws_of_ranks_are_slices_of_the_draws_of_one(store: PairStore) -> None:
    config = resolve("test32", ["training.augment=0.3"])
    players, _ = make(config, store)
    whole = draw(config, players.networks, (1, 2, 3), CPU, penalised=True)
    halves = [
        draw(config, players.networks, (1, 2, 3), Workplace(CPU.device, rank, 2), penalised=True) for rank in (0, 1)
    ]
    for one, first, second in zip(whole, *halves, strict=True):
        assert torch.equal(one, torch.cat([first, second]))


def _work(rank: int, world: int, port: int, folder: Path, steps: int, projected: float) -> None:
    """Trains for some steps as one of `world` processes and leaves its weights behind."""
    torch.set_num_threads(1)
    # Rounding can push a unit over its kink and change its gradient fivefold: with straight units sums must agree.
    layers.SLOPE = borrowed.SLOPE = 1.0
    F.relu6 = lambda x: 6 * torch.sigmoid(x - 3)  # of the borrowed eyes, whose height it bounds
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    place = find_workplace()
    config = resolve("test32", ["training.augment=0.3", "training.precision=fp32", f"loss.projected={projected}"])
    store = prepare(Catalogue.open(folder / "catalogue"), 32, folder / "cache")
    players, batches = make(config, store)
    # Adam without momentum turns a gradient of 1e-9 into a full step: plain descent shows whether gradients agree.
    named = players.learning()
    players.optimizers.update({name: torch.optim.SGD(net.parameters(), lr=1e-3) for name, net in named.items()})
    for step in range(steps):
        draws = draw(config, players.networks, (0, step), place, penalised=step % 2 == 0)
        joint_step(players, batches.at(step, place.rank, place.world), draws, config, place)
        players.average.update(config.training.batch_size, seen=step * config.training.batch_size)
    save_file(weights(players), folder / f"{world}-{rank}.safetensors")
    if world > 1:
        dist.destroy_process_group()


@pytest.mark.parametrize("projected", [0.0, pytest.param(0.2, marks=needs_eyes)])
def test_two_processes_stay_equal_and_do_what_one_does(tmp_path: Path, projected: float) -> None:
    write_sample(tmp_path / "catalogue", 48, 32, 0)
    prepare(Catalogue.open(tmp_path / "catalogue"), 32, tmp_path / "cache")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(_work, args=(2, port, tmp_path, 4, projected), nprocs=2)
    mp.spawn(_work, args=(1, port, tmp_path, 4, projected), nprocs=1)
    one, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("1-0", "2-0", "2-1"))
    for key in one:
        assert torch.equal(first[key], second[key]), key
        assert torch.allclose(one[key], first[key], atol=1e-6, rtol=1e-3), key

"""How do the networks that papers measure with get here, and what is said where they cannot?

Packages and weights of others are no part of Bespoke. What is missing is said in one line with the command that gets
it, before anything that takes long.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import shlex
import sys
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch

from bespoke.data.made_once import make_once
from bespoke.data.store import cache_folder
from bespoke.errors import UserError
from bespoke.evaluation.paper_networks import Clip, Dinov2, Inception, Network
from bespoke.evaluation.paper_texts import missing_sentence
from bespoke.evaluation.result import PAPER_NETWORKS, PaperCard, PaperNetwork
from bespoke.pages.texts import Line

ALL = "all"
REQUIREMENTS = {"transformers": "transformers>=5.23", "torch_fidelity": "torch-fidelity>=0.4"}
# CLIP as torchmetrics has it by default, DINOv2 as Stein et al. (2023); at commits, so that figures can be had again.
CLIP = "openai/clip-vit-large-patch14@32bd64288804d66eefd0ccbe215aa642df71cc41"
DINOV2 = "facebook/dinov2-large@47b73eefe95e8d44ec3623f8890bd894b6ea2d6c"
# The network of 2015 that every FID rests on, as torch-fidelity brings it over from TensorFlow.
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_FILES = ("*.json", "*.txt", "*.safetensors")
_Loaded = TypeVar("_Loaded")


class Missing(UserError):
    """A network cannot be asked here; the line says what is missing and the command that gets it."""

    def __init__(self, line: Line) -> None:
        super().__init__(missing_sentence(line, "en"))
        self.line = line


class Asked(NamedTuple):
    """A network that somebody wants to hear."""

    name: PaperNetwork
    place: str | None  # of its weights, where not the usual ones
    demanded: bool  # by name: it must not be left out


def asked_networks(words: Sequence[str]) -> list[Asked]:
    """What `--metrics` names: "all", or a network, with a place of its weights where it has one. Raises UserError."""
    found: dict[PaperNetwork, Asked] = {}
    for word in words:
        name, equals, place = word.partition("=")
        if word == ALL:
            for each in PAPER_NETWORKS:
                found.setdefault(each, Asked(each, None, demanded=False))
            continue
        for each in PAPER_NETWORKS:
            if each == name and (place or not equals):
                found[each] = Asked(each, place or None, demanded=True)
                break
        else:
            known = ", ".join((ALL, *PAPER_NETWORKS))
            raise UserError(f"--metrics {word}: expected one of {known}, or NAME=PLACE of its weights; mend it")
    return [found[name] for name in PAPER_NETWORKS if name in found]


def open_networks(asked: Sequence[Asked], device: torch.device) -> tuple[list[Network], list[Line]]:
    """The networks that can be asked here, and a line on each that cannot.

    Raises UserError where one that was named cannot be asked, or none of all: before anything that takes long.
    """
    opened, missing = [], []
    for each in asked:
        try:
            opened.append(_OPEN[each.name](each.place, device))
        except Missing as error:
            if each.demanded:
                raise
            missing.append(error.line)
    if missing and not opened:
        told = "; ".join(missing_sentence(line, "en") for line in missing)
        raise UserError(f"--metrics {ALL}: none can be asked here; {told}")
    return opened, missing


def _open_inception(place: str | None, device: torch.device) -> Network:
    if find_spec("torch_fidelity") is None:
        # Without what it asks for: pip would take torchvision from anywhere.
        raise Missing(_package("inception", "torch_fidelity", "--no-deps"))
    _check_torchvision("inception", needed=True)
    from torch_fidelity import feature_extractor_inceptionv3 as inception

    file = _inception_file(place, inception.URL_INCEPTION_V3)
    # The package reads a pickle; what it holds is known, by the hash above.
    module = inception.FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(file))
    card = PaperCard("inception", file.stem, INCEPTION_SHA256[:12], f"torch-fidelity {version('torch-fidelity')}")
    return Inception(card, module, device)


def _inception_file(place: str | None, url: str) -> Path:
    """The weights, whole; fetched into the cache where no place is given."""
    name = url.rsplit("/", 1)[-1]
    folder = cache_folder() / "inception"
    file = Path(place) if place else folder / name

    def write(part: Path) -> None:
        urllib.request.urlretrieve(url, part / name)

    about: dict[str, int | str] = {
        "network": "inception",
        "model": name,
        "command": shlex.join(["curl", "-L", "-o", name, url]),
        "place": name,
    }
    try:
        if not place:
            make_once(folder, is_whole=file.is_file, write=write)
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, HTTPException) as error:
        raise Missing(Line("paper_missing.weights", about | {"reason": _reason(error)})) from error
    if found != INCEPTION_SHA256:
        raise Missing(Line("paper_missing.damaged", about | {"model": str(file), "reason": f"sha256 {found[:12]}"}))
    return file


def _open_clip(place: str | None, device: torch.device) -> Network:
    folder, card, module = _transformer("clip", "CLIPModel", place or CLIP)

    def made() -> Network:
        return Clip(
            card, module, device, _library().AutoTokenizer.from_pretrained(folder, local_files_only=True), folder
        )

    return _loaded(card, place or CLIP, made)


def _open_dinov2(place: str | None, device: torch.device) -> Network:
    folder, card, module = _transformer("dinov2", "Dinov2Model", place or DINOV2)
    return _loaded(card, place or DINOV2, lambda: Dinov2(card, module, device, folder))


_OPEN: dict[PaperNetwork, Callable[[str | None, torch.device], Network]] = {
    "inception": _open_inception,
    "clip": _open_clip,
    "dinov2": _open_dinov2,
}


def _transformer(name: PaperNetwork, model: str, place: str) -> tuple[Path, PaperCard, Any]:
    """A model of the library transformers, from a folder or a hub id with a commit."""
    if find_spec("transformers") is None:
        raise Missing(_package(name, "transformers"))
    _check_torchvision(name, needed=False)
    folder, called = _weights_folder(name, place)
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    card = PaperCard(name, called, digest.hexdigest()[:12], f"transformers {version('transformers')}")

    def load() -> Any:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
        if kind != name:
            raise ValueError(f"config.json says that it is a {kind}, not a {name}")
        module, told = getattr(_library(), model).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=torch.float32
        )
        if lacking := sorted(told["missing_keys"]):  # the library would draw them at random
            raise ValueError(f"{len(lacking)} weights are not in it, such as {lacking[0]}")
        return module

    return folder, card, _loaded(card, place, load)


def _loaded(card: PaperCard, place: str, load: Callable[[], _Loaded]) -> _Loaded:
    try:
        return load()
    except Exception as error:  # the library and those below it raise whatever they like
        said = _about(card.name, place) | {"model": card.model, "reason": _reason(error)}
        raise Missing(Line("paper_missing.damaged", said)) from error


def _weights_folder(name: PaperNetwork, place: str) -> tuple[Path, str]:
    """The folder of the weights, and what they are called."""
    if Path(place).is_dir():
        return Path(place), place
    repository, _, commit = place.partition("@")
    owner, _, model = repository.partition("/")
    if not owner or not model or "/" in model or owner.startswith((".", "~")):
        raise UserError(f"--metrics {name}={place}: no such folder; give one, or a hub id like owner/name")
    hub = importlib.import_module("huggingface_hub")
    fetch = partial(hub.snapshot_download, repository, allow_patterns=list(_FILES))
    try:
        # Asked first, because it fails at once: a fetch without a network tries again for half a minute.
        folder = Path(fetch(revision=hub.HfApi().model_info(repository, revision=commit or None).sha))
    except Exception as error:  # of the hub, of its HTTP library, of the disk
        try:
            folder = Path(fetch(revision=commit or None, local_files_only=True))
        except OSError:
            about = _about(name, place) | {"model": repository, "reason": _reason(error)}
            raise Missing(Line("paper_missing.weights", about)) from error
    return folder, f"{repository}@{folder.name[:12]}"


def _about(name: PaperNetwork, place: str) -> dict[str, int | str]:
    """The command that gets weights into a folder, to be used without a network."""
    usual = {"clip": CLIP, "dinov2": DINOV2}[name]
    repository, _, commit = (usual if Path(place).is_dir() else place).partition("@")
    command = ["hf", "download", repository, *(["--revision", commit] if commit else [])]
    command += [word for pattern in _FILES for word in ("--include", pattern)]
    folder = repository.rsplit("/", 1)[-1]
    return {"network": name, "place": folder, "command": shlex.join([*command, "--local-dir", folder])}


def _library() -> Any:
    """The package transformers, which else draws bars over ours and comments on its own loading."""
    library = importlib.import_module("transformers")
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    return library


def _check_torchvision(name: PaperNetwork, *, needed: bool) -> None:
    """Where torchvision does not fit torch, whatever imports it fails: transformers, too, which could do without."""
    install = [sys.executable, "-m", "pip", "install", "--no-deps"]
    torch_version: dict[str, int | str] = {"network": name, "torch": torch.__version__}
    if find_spec("torchvision") is None:
        if needed:
            command = shlex.join([*install, "torchvision"])
            raise Missing(Line("paper_missing.torchvision", torch_version | {"command": command}))
        return
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # RuntimeError where its operators are not there, OSError where a library is not
        command = shlex.join([*install, "--force-reinstall", "torchvision"])
        about = torch_version | {"reason": _reason(error), "command": command}
        raise Missing(Line("paper_missing.broken", about)) from error


def _package(name: PaperNetwork, module: str, *options: str) -> Line:
    command = shlex.join([sys.executable, "-m", "pip", "install", *options, REQUIREMENTS[module]])
    return Line("paper_missing.package", {"network": name, "package": module.replace("_", "-"), "command": command})


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__

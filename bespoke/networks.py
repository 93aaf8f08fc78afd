"""How are the networks of a model built, saved and loaded? A folder of safetensors and JSON, never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn as nn
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from bespoke.data.front_end import front_end_file
from bespoke.errors import UserError
from bespoke.locate import INDEX
from bespoke.method.discriminator import Discriminator
from bespoke.method.editor import Editor
from bespoke.method.generator import Generator
from bespoke.method.text_encoder import BorrowedTextEncoder, DualTextEncoder, RealismHead, TextEncoder
from bespoke.settings import ModelSettings
from bespoke.tensors import save_tensors

FORMAT = 1
_SETTINGS = "settings"  # what the index calls the checksum of its own model and vocabulary_size


@dataclass(frozen=True)
class Networks:
    """The networks of a model; `text_encoder` holds both encoders, `editor` is there once it has been taught."""

    settings: ModelSettings
    vocabulary_size: int
    text_encoder: DualTextEncoder
    generator: Generator
    discriminator: Discriminator
    editor: Editor | None = None

    def named(self) -> dict[str, nn.Module]:
        """Each network once, by the name of its file; a shared encoder is called realism."""
        named: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "realism": self.text_encoder.realism,
        }
        if not self.text_encoder.is_shared:
            named["alignment"] = self.text_encoder.alignment
        if self.editor is not None:
            named["editor"] = self.editor
        return named

    def to(self, device: str | torch.device) -> Networks:
        """The same networks, moved to `device` and laid out channels last, which is faster everywhere."""
        for network in self.named().values():
            network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def with_modules(self, modules: Mapping[str, nn.Module] | nn.ModuleDict) -> Networks:
        """A model of the same settings out of other networks, by the names of `named`."""
        realism = modules["realism"]
        text_encoder = DualTextEncoder(realism, realism if self.text_encoder.is_shared else modules["alignment"])
        generator, discriminator = modules["generator"], modules["discriminator"]
        assert isinstance(generator, Generator)
        assert isinstance(discriminator, Discriminator)
        editor = modules["editor"] if self.editor is not None else None
        assert editor is None or isinstance(editor, Editor)
        return Networks(self.settings, self.vocabulary_size, text_encoder, generator, discriminator, editor)


def build_networks(settings: ModelSettings, vocabulary_size: int, *, editor: bool = False) -> Networks:
    """Networks with fresh weights, drawn from torch's global generator: seed it before. An editor only where asked."""

    def encoder(canonical_width: int = 0) -> nn.Module:
        if settings.embeddings == "pretrained":
            return BorrowedTextEncoder(embedding_width=settings.embedding_width)
        return TextEncoder(
            vocabulary_size=vocabulary_size,
            token_width=settings.token_width,
            embedding_width=settings.embedding_width,
            canonical_width=canonical_width,
        )

    width = settings.canonical_width
    if settings.embeddings == "dual":
        text_encoder = DualTextEncoder(encoder(width if settings.realism_start == "alignment" else 0), encoder(width))
    elif settings.embeddings == "head":
        text_encoder = DualTextEncoder(RealismHead(embedding_width=settings.embedding_width), encoder(width))
    else:
        one = encoder(width)
        text_encoder = DualTextEncoder(one, one)
    generator = Generator(
        image_size=settings.image_size,
        embedding_width=settings.embedding_width,
        latent_width=settings.latent_width,
        condition_width=settings.condition_width,
        style_width=settings.style_width,
        widths=settings.generator_widths,
        word_attention_size=settings.word_attention_size,
        balance=settings.balance,
        grain=1.0 if settings.grain is None else settings.grain,
    )
    discriminator = Discriminator(
        image_size=settings.image_size,
        embedding_width=settings.embedding_width,
        widths=settings.discriminator_widths,
        canonical_width=settings.canonical_width,
        balance=settings.balance,
    )
    return Networks(
        settings, vocabulary_size, text_encoder, generator, discriminator, build_editor(settings) if editor else None
    )


def build_editor(settings: ModelSettings) -> Editor:
    """An editor that has learned nothing yet, of the sizes that go with a model's."""
    return Editor(
        embedding_width=settings.embedding_width,
        style_width=settings.style_width,
        # Two thirds of the generator's: it is given most of the picture.
        widths=tuple(max(8, 2 * width // 3 // 8 * 8) for width in settings.generator_widths[-3:]),
    )


def save_networks(networks: Networks, folder: Path) -> None:
    """Write weights and index into `folder`; the index comes last, so a folder without one is not whole.

    The front end's file, which says how captions are read, must be there already: the index knows it by its checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    files = {}
    for name, network in networks.named().items():
        file = folder / f"{name}.safetensors"
        save_tensors({key: value.detach().contiguous().cpu() for key, value in network.state_dict().items()}, file)
        files[name] = _checksum(file)
    front_end = front_end_file(networks.settings, folder)
    files[front_end.stem] = _checksum(front_end)
    index: dict[str, Any] = {
        "format": FORMAT,
        "model": networks.settings.model_dump(mode="json"),
        "vocabulary_size": networks.vocabulary_size,
    }
    index["sha256"] = files | {_SETTINGS: _settings_checksum(index)}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def load_networks(folder: Path, *, editor: bool = True) -> tuple[Networks, str]:
    """Networks in eval mode, and the model's id: the first 12 digits of a hash over all weights but the editor's.

    Equal ids draw equal pictures, whether or not a model has been taught to edit as well: settings and front end are
    no part of the id, but have to be those that were saved with the weights, where the index has checksums of them
    (earlier versions wrote none). Without `editor` it stays unread: one of another version must not be in the way of
    teaching it again.
    Raises UserError for a folder that is not a model, is not whole, or comes from another version.
    """
    index = _read_index(folder)
    try:
        recorded: dict[str, str] = dict(index["sha256"])
        settings, vocabulary_size = ModelSettings(**index["model"]), int(index["vocabulary_size"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise UserError(
            f"{folder / INDEX}: not a model of this version ({_line(error)}); train or save it again"
        ) from error
    if recorded.get(_SETTINGS) not in (None, _settings_checksum(index)):
        raise UserError(f"{folder / INDEX}: changed or damaged since it was saved; copy the model folder again")
    front_end = front_end_file(settings, folder)
    _check_saved(front_end, recorded.get(front_end.stem))
    try:
        networks = build_networks(settings, vocabulary_size, editor=editor and "editor" in recorded)
    except (RuntimeError, MemoryError, ValueError, TypeError, OverflowError) as error:
        raise UserError(
            f"{folder / INDEX}: asks for networks of an impossible size ({_line(error)}); copy the model folder again"
        ) from error
    identity = hashlib.sha256()
    for name, network in networks.named().items():
        file = folder / f"{name}.safetensors"
        digest = _check_saved(file, recorded.get(name, ""))
        try:
            network.load_state_dict(load_file(file))
        except (SafetensorError, RuntimeError) as error:
            if name == "editor":
                raise UserError(
                    f"{file}: taught by another version; remove the folder `editing` of the run and teach it again by "
                    "`bespoke train CATALOGUE --out RUN --edit`"
                ) from error
            raise UserError(f"{file}: does not fit {INDEX} ({_line(error)}); copy the model folder again") from error
        network.eval().requires_grad_(False)
        if name != "editor":
            identity.update(digest.encode())
    return networks, identity.hexdigest()[:12]


def _check_saved(file: Path, recorded: str | None) -> str:
    """The checksum of a file of a model folder; any will do where None is recorded. Raises UserError."""
    if not file.is_file():
        raise UserError(f"{file}: missing; the model folder is not whole, copy it again")
    digest = _checksum(file)
    if recorded not in (None, digest):
        raise UserError(f"{file}: damaged (its checksum is not the one in {INDEX}); copy the model folder again")
    return digest


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _settings_checksum(index: Mapping[str, Any]) -> str:
    told = json.dumps([index["model"], index["vocabulary_size"]], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def weights_hash(network: nn.Module) -> str:
    """The first 12 digits of a hash over a network's weights and their names."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _read_index(folder: Path) -> dict[str, Any]:
    file = folder / INDEX
    if not file.is_file():
        raise UserError(f"{folder}: no {INDEX} in it; give a run or a model folder that training has finished writing")
    try:
        index = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not valid JSON ({_line(error)}); copy the model folder again") from error
    found = index.get("format") if isinstance(index, dict) else None
    if found != FORMAT:
        raise UserError(f"{file}: format {found!r}, this version reads {FORMAT}; train or convert it with this version")
    return dict(index)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

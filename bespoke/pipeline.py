"""How do users meet a model? Text in, pictures out; pictures changed by text; texts embedded; pictures scored."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, SupportsIndex

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bespoke.data.front_end import FrontEnd, front_end_file, load_front_end
from bespoke.data.levels import as_image, to_levels, to_signed
from bespoke.editing import Editing, edit_picture
from bespoke.errors import UserError
from bespoke.locate import model_folder
from bespoke.method.editor import USUAL_STRENGTH
from bespoke.method.text_encoder import DualTextEmbedding
from bespoke.networks import Networks, load_networks, save_networks
from bespoke.precision import autocast

CANDIDATE_STRIDE = 1_000_003  # seeds of the further candidates of best-of lie this far apart
LARGEST_SEED = 2**53 - 1  # what every reader of JSON keeps exactly
_MODEL_FILES = {"model_index.json", "tokenizer.json", "borrowed_encoder.json", "MODEL_CARD.md"}  # beside the weights
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # of file managers, in any folder that somebody looks into


class Picture(NamedTuple):
    """One generated picture and how to make it again."""

    image: Image.Image
    text: str
    seed: int  # of the picture, also where it was the best of several
    balance: float
    alignment: float  # cosine in [-1, 1] of picture and text in the model's own alignment space


@dataclass(frozen=True)
class Generation:
    """Pictures of one call, in the order of the texts, `num_images` of each."""

    pictures: list[Picture]
    unknown_words: dict[str, list[str]] = field(default_factory=dict)  # text -> words never seen in training

    @property
    def images(self) -> list[Image.Image]:
        return [picture.image for picture in self.pictures]

    @property
    def alignment(self) -> list[float]:
        return [picture.alignment for picture in self.pictures]

    @property
    def seeds(self) -> list[int]:
        return [picture.seed for picture in self.pictures]


class SentenceEmbeddings(NamedTuple):
    """Sentences in both spaces."""

    realism: Tensor  # S_G, [N, E]
    alignment: Tensor  # S_D, [N, E]


class Pipeline:
    """A trained model, ready to be used. Pictures are made one by one, so that none depends on its neighbours."""

    def __init__(self, networks: Networks, tokenizer: FrontEnd, *, identity: str = "unsaved") -> None:
        self.networks = networks
        self.tokenizer = tokenizer
        self.identity = identity
        self.device = next(networks.generator.parameters()).device

    @classmethod
    def from_pretrained(
        cls, path: str | Path, *, device: str | torch.device | None = None, editor: bool = True
    ) -> Pipeline:
        """Load a run, a model folder or, where no such folder is, one that comes with Bespoke or a hub id.

        editor: whether what it was taught of editing is loaded, too, where there is any.
        device: a GPU where there is one, unless given.
        Raises UserError where there is no whole model of this version, and for a device that does not work here.
        """
        device = _usable(device)
        folder = model_folder(path)
        networks, identity = load_networks(folder, editor=editor)
        tokenizer = load_front_end(networks.settings, folder)
        if tokenizer.vocabulary_size != networks.vocabulary_size:
            raise UserError(
                f"{front_end_file(networks.settings, folder)}: has {tokenizer.vocabulary_size} pieces, the model "
                f"{networks.vocabulary_size}; copy the model folder again"
            )
        return cls(networks.to(device), tokenizer, identity=identity)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a model folder that `from_pretrained` reads; a model that stood there is replaced when all is written.

        Raises UserError where something else than a model stands there, and where the disk refuses.
        """
        folder = Path(folder).resolve()
        _check_replaceable(folder)
        fresh, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            self.tokenizer.save(front_end_file(self.networks.settings, fresh))
            save_networks(self.networks, fresh)
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                folder.rename(old)
            fresh.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise UserError(
                f"{folder}: the model could not be written ({error}); free some space or mend the folder"
            ) from error

    def __call__(
        self,
        text: str | Sequence[str],
        *,
        num_images: int = 1,
        balance: float = 0.5,
        seed: int | None = None,
        best_of: int = 1,
    ) -> Generation:
        """Draw `num_images` pictures of every text.

        balance: how much of S_D enters, 0 to 1; 0 is the most varied. Picture i of the call has seed `seed + i`, so
        that different texts get different noise; without a seed one is drawn and returned. best_of: candidates a
        picture, of which the one closest to its text (by the model's own alignment) is kept. Raises UserError for a
        balance outside [0, 1], counts below 1, or a seed out of range.
        """
        texts = [text] if isinstance(text, str) else list(text)
        pictures = list(self.stream(texts, num_images=num_images, balance=balance, seed=seed, best_of=best_of))
        unknown = {text: words for text in texts if (words := self.tokenizer.unknown(text))}
        return Generation(pictures, unknown)

    def stream(
        self,
        texts: Iterable[str],
        *,
        num_images: int = 1,
        balance: float = 0.5,
        seed: int | None = None,
        best_of: int = 1,
    ) -> Iterator[Picture]:
        """The pictures of `__call__`, one at a time, from any number of texts in constant memory."""
        if not 0 <= balance <= 1:
            raise UserError(f"balance={balance}: expected a number from 0 (most varied) to 1 (most alike); choose one")
        counts = (_count("num_images", num_images), _count("best_of", best_of))
        texts = [texts] if isinstance(texts, str) else texts
        return self._stream(texts, counts[0], float(balance), first_seed(seed), counts[1])

    def _stream(
        self, texts: Iterable[str], num_images: int, balance: float, first: int, best_of: int
    ) -> Iterator[Picture]:
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise UserError(f"text {text!r:.40}: expected a string that says what to draw")
            first_seed(first + (number + 1) * num_images - 1)
            embedding = self._read([text])
            for seed in range(first + number * num_images, first + (number + 1) * num_images):
                candidates = (self._draw(text, embedding, balance, seed + k * CANDIDATE_STRIDE) for k in range(best_of))
                yield max(candidates, key=lambda picture: picture.alignment)

    @torch.no_grad()
    def _draw(self, text: str, embedding: DualTextEmbedding, balance: float, seed: int) -> Picture:
        """One picture, alone in its batch: what else is asked for cannot change a bit of it."""
        noise = torch.randn(1, self.networks.generator.num_noise, generator=torch.Generator().manual_seed(seed))
        with autocast(self.device):
            made = self.networks.generator(
                noise.to(self.device), embedding, torch.full((1,), balance, device=self.device)
            ).pictures
            seen = self.networks.discriminator(made.clamp(-1, 1))
        alignment = torch.cosine_similarity(seen.embedding, embedding.alignment.sentence)
        image = as_image(to_levels(made[0]))
        return Picture(image, text, seed, balance, round(float(alignment), 6))

    @torch.no_grad()
    def _read(self, texts: Sequence[str]) -> DualTextEmbedding:
        embedding: DualTextEmbedding = self.networks.text_encoder(self.tokenizer.encode(texts).to(self.device))
        return embedding

    def embed(self, texts: Sequence[str], *, batch_size: int = 256) -> SentenceEmbeddings:
        """Both sentence embeddings of N texts, [N, E] float32 each: S_G and S_D of arXiv 2502.01507."""
        parts = [self._read(texts[i : i + batch_size]) for i in range(0, len(texts), batch_size)]
        none = torch.empty(0, self.networks.settings.embedding_width)  # for no texts
        return SentenceEmbeddings(
            torch.cat([none, *(part.realism.sentence.cpu() for part in parts)]),
            torch.cat([none, *(part.alignment.sentence.cpu() for part in parts)]),
        )

    @torch.no_grad()
    def score(self, pictures: Sequence[Image.Image], texts: Sequence[str], *, batch_size: int = 64) -> Tensor:
        """How well picture i matches text i in the model's own alignment space: cosines [N] in [-1, 1].

        Do not compare models by it, nor generated with real pictures: the model was trained to raise it.
        """
        if len(pictures) != len(texts):
            raise UserError(f"{len(pictures)} pictures and {len(texts)} texts: expected as many of each; pair them")
        size, scores = self.networks.settings.image_size, []
        for i in range(0, len(pictures), batch_size):
            shown = torch.stack([_signed(picture, size) for picture in pictures[i : i + batch_size]]).to(self.device)
            told = self._read(texts[i : i + batch_size]).alignment.sentence
            with autocast(self.device):
                seen = self.networks.discriminator(shown)
            scores.append(torch.cosine_similarity(seen.embedding, told).cpu())
        return torch.cat(scores) if scores else torch.empty(0)

    def edit(
        self,
        picture: Image.Image,
        text: str,
        *,
        source: str | None = None,
        strength: float = USUAL_STRENGTH,
        mask: Image.Image | None = None,
        num_images: int = 1,
        seed: int | None = None,
    ) -> Editing:
        """Change a picture by its text: same size, same detail, and bit for bit the same where nothing is due.

        source: what the picture shows now; only what the two texts differ in is changed, and without it the model has
        to guess. strength: from 0 (as it is) to 1 (all over, nothing is held back). mask: of the picture's size, white
        may change, black stays. Picture i has seed `seed + i`: the shade, and what else the text leaves open.
        Raises UserError for a model that was not taught to edit, texts that are empty or read alike, and values out of
        range.
        """
        return edit_picture(
            self.networks,
            self.tokenizer,
            picture,
            text,
            source=source,
            strength=strength,
            mask=mask,
            seeds=list(seeds_of(num_images, seed)),
        )


def _usable(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=device).cpu()  # tried: no other question is answered for every kind of device
        return torch.device(device)
    except (AssertionError, RuntimeError, ImportError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"device={str(device)!r}: does not work here ({reason}); use cpu, or leave it out") from error


def _check_replaceable(folder: Path) -> None:
    """Raise UserError unless `folder` is free, empty, or holds a model and nothing else."""
    if not folder.name or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder}: not a folder that could hold a model; name another")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    foreign = {name for name in names - _MODEL_FILES - _LITTER if not name.endswith(".safetensors")}
    if foreign:
        raise UserError(f"{folder}: holds files that are no model's (first: {min(foreign)}); name a new folder")


def _count(name: str, count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, SupportsIndex) or count.__index__() < 1:
        raise UserError(f"{name}={count}: expected 1 or more; choose one")
    return count.__index__()


def first_seed(seed: int | None) -> int:
    """The seed that was given, or a drawn one. Raises UserError for what is none."""
    if seed is None:
        return int(torch.randint(2**31, ()).item())
    if isinstance(seed, bool) or not isinstance(seed, SupportsIndex) or not 0 <= seed.__index__() <= LARGEST_SEED:
        raise UserError(f"seed={seed}: expected a whole number from 0 to {LARGEST_SEED}; choose one")
    return seed.__index__()


def seeds_of(num_images: int, seed: int | None) -> range:
    """The seeds of the versions of one edit. Raises UserError for a count below 1, and where one is out of range."""
    count, first = _count("num_images", num_images), first_seed(seed)
    return range(first, first_seed(first + count - 1) + 1)


def _signed(picture: Image.Image, size: int) -> Tensor:
    """A picture as [3, size, size] float32 in [-1, 1], the middle square of it."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
    return to_signed(torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1))

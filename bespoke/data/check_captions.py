"""What do the captions of a catalogue say, in which languages, at what length, with which words?"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bespoke.data.words import HIRAGANA, KANJI, KATAKANA, UNITS, printable

FEW_PICTURES = 3  # a word with fewer is hardly learned
# Beyond this a caption may be cut: a rule of thumb for 32 tokens, which are words in part. In words, or letters.
LONG = {"japanese": 48, "latin": 24, "other": 24}
SHORT = {"japanese": 3, "latin": 2, "other": 2}
LANGUAGES = tuple(LONG)
_JAPANESE = re.compile(f"[{HIRAGANA}{KATAKANA}{KANJI}]")
_LATIN = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]")


class Lengths(NamedTuple):
    """Of the captions of one language: characters of Japanese, words of any other."""

    captions: int
    least: int
    median: int
    most: int


class CaptionCount:
    """Counts over all captions. Memory grows with different words, and by 16 bytes a caption."""

    def __init__(self) -> None:
        self.lengths: dict[str, Counter[int]] = {language: Counter() for language in LANGUAGES}
        self.words: Counter[str] = Counter()  # in the captions of how many usable pictures each word stands
        self._latest: dict[str, int] = {}  # the last picture of each word, which may have captions in several rows
        self._keys = array("Q")
        self._owners = array("q")  # places of pictures
        self.long = array("q")  # pictures with a caption that may be cut
        self.short = array("q")  # pictures with nothing but short captions

    def add(self, place: int, texts: Sequence[str], *, usable: bool = True) -> None:
        """Count the captions of the picture at `place`; of one that cannot be used, no words."""
        seen: set[str] = set()
        long, short = False, bool(texts)
        for text in texts:
            plain = " ".join(unicodedata.normalize("NFKC", printable(text)).casefold().split())
            units = [unit for unit in UNITS.findall(plain) if unit[0].isalnum()]
            language = language_of(plain)
            length = sum(map(len, units)) if language == "japanese" else len(units)
            self.lengths[language][length] += 1
            self._keys.append(int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=8).digest(), "little"))
            self._owners.append(place)
            seen.update(units)
            long |= length > LONG[language]
            short &= length < SHORT[language]
        if long:
            self.long.append(place)
        if short:
            self.short.append(place)
        if not usable:
            self.words.update(dict.fromkeys(seen, 0))
        else:
            new = [word for word in seen if self._latest.get(word) != place]
            self.words.update(new)
            self._latest.update(dict.fromkeys(new, place))

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def num_different(self) -> int:
        """Captions that do not read the same."""
        return len(np.unique(np.frombuffer(self._keys, np.uint64))) if self._keys else 0

    def rare_words(self) -> list[tuple[str, int]]:
        """Words with fewer than FEW_PICTURES pictures, the rarest first."""
        rare = [(word, count) for word, count in self.words.items() if count < FEW_PICTURES]
        return sorted(rare, key=lambda entry: (entry[1], entry[0]))

    def summaries(self) -> dict[str, Lengths]:
        """Lengths by language, for the languages there are."""
        return {language: _summary(lengths) for language, lengths in self.lengths.items() if lengths}

    def shared(self, homes: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
        """Pictures without a caption of their own, and the pictures of each shared caption, the most shared first.

        `homes` [N] says whose captions those of each picture are, -1 for nobody's.
        """
        owners = homes[np.frombuffer(self._owners, np.int64)]
        keys = np.frombuffer(self._keys, np.uint64)[owners >= 0]
        owners = owners[owners >= 0]
        if not len(owners):
            return owners, []
        _, key = np.unique(keys, return_inverse=True)
        pairs = np.unique(np.stack([key, owners], 1), axis=0)  # a picture may say the same twice
        start = np.flatnonzero(np.r_[True, np.diff(pairs[:, 0]) != 0])
        count = np.diff(np.r_[start, len(pairs)])
        own = pairs[start[count == 1], 1]
        most_first = np.argsort(-count, kind="stable")
        groups = [pairs[start[at] : start[at] + count[at], 1] for at in most_first[: (count > 1).sum()].tolist()]
        return np.setdiff1d(owners, own), groups


def language_of(text: str) -> str:
    """Japanese where there is a kana or kanji, else Latin where there is a Latin letter, else other.

    Scripts, not languages: Chinese counts as Japanese, German as Latin.
    """
    return "japanese" if _JAPANESE.search(text) else "latin" if _LATIN.search(text) else "other"


def _summary(lengths: Counter[int]) -> Lengths:
    values = sorted(lengths)
    counts = np.cumsum([lengths[value] for value in values])
    median = values[int(np.searchsorted(counts, (counts[-1] + 1) // 2))]
    return Lengths(int(counts[-1]), values[0], median, values[-1])

"""How do captions of any language become numbers, and which of their words has the model never seen?"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from bespoke.data.lexicon import ENGLISH_FORMS, FORMS
from bespoke.data.words import JAPANESE_RUN, UNITS, printable
from bespoke.errors import UserError

CONTROL_PIECES = ("<pad>", "<unk>", "<null>")
BYTE_PIECES = tuple(f"<0x{byte:02X}>" for byte in range(256))
SMALLEST_VOCABULARY = 288  # control and byte pieces, and a first few letters

# NFKC turns the full-width "<" into the plain one, so afterwards it is free to stand for a "<" of the user:
# no text can spell a control piece or a byte piece.
ESCAPED = "\uff1c"
# Spaces, control characters, zero-width space, byte order mark, and the mark that Metaspace uses for a space.
BLANKS = "[\\s\\x{0}-\\x{1f}\\x{7f}-\\x{9f}\\x{200b}\\x{feff}\\x{2581}]+"
SPACE = "\u2581"  # how the library writes a space inside a piece
FIRST_PRIVATE = 0xF0000  # from here on no character means anything, and none is a blank
# Pieces never cross these cuts: before a space, around punctuation, and, as Japanese has no spaces, where its scripts
# change and around a single particle, so that a noun is the same piece whatever particle follows.
JAPANESE_LETTERS = "\\p{Han}\\p{Hiragana}\\p{Katakana}\u30fc"
PARTICLE = "[\u304c\u3092\u306b\u306f\u3068\u306e\u3067\u3082\u3084\u3078]"
CHUNKS = (
    f"\u2581?[^\u2581\\p{{P}}{JAPANESE_LETTERS}]+|[\\p{{Katakana}}\u30fc]+|\\p{{Han}}+(?={PARTICLE})"
    f"|\\p{{Han}}+\\p{{Hiragana}}*|{PARTICLE}|\\p{{Hiragana}}+|\\p{{P}}|\u2581"
)


class Tokenizer:
    """Byte-pair pieces learned from the training captions; what they do not cover falls to bytes, never away.

    Byte-pair encoding and not Unigram: the library's Unigram training differs from one process to the next.
    """

    pad_id = 0
    unk_id = 1  # never comes out of a text: word dropout puts it in, so that it means "some word"
    null_id = 2  # the empty caption

    def __init__(self, tokenizer: tokenizers.Tokenizer, known: Iterable[str]) -> None:
        assert tokenizer.truncation is not None
        self.length = int(tokenizer.truncation["max_length"])  # tokens per caption, L
        self._tokenizer = tokenizer
        self._known = frozenset(known)
        # Learned pieces of two characters and more also count as known parts of a Japanese run.
        self._parts = self._known | {piece for piece in tokenizer.get_vocab() if len(piece) > 1}

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary_size: int, length: int = 32) -> Tokenizer:
        """Learn the pieces from one pass over `texts`; `vocabulary_size` is an upper bound, `length` in tokens.

        Memory grows with the number of different words, not of captions. Raises UserError for too small a bound.
        """
        if vocabulary_size < SMALLEST_VOCABULARY:
            raise UserError(
                f"vocabulary_size={vocabulary_size}: expected {SMALLEST_VOCABULARY} or more; choose a larger one"
            )
        chunks, known = _count(texts)
        size = vocabulary_size - len(CONTROL_PIECES) - len(BYTE_PIECES)
        # A space is always a piece: the decoder would take one made of bytes for the first of the text and drop it.
        alphabet = _alphabet(chunks + Counter({SPACE: 1}), size // 2)
        pieces, merges = _learn(chunks, alphabet, size)
        names = (*CONTROL_PIECES, *BYTE_PIECES, *pieces)
        return cls(_assembled(_model({name: number for number, name in enumerate(names)}, merges), length), known)

    def grow(self, texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
        """This tokenizer with further pieces for words of `texts` that it has never seen; `vocabulary_size` bounds all.

        The pieces it has keep their numbers. New ones join what the old ones leave apart, after all old joins: what was
        one piece stays that piece, so a caption of such words reads as before.
        """
        chunks, known = _count(texts)
        strange = Counter({chunk: n for chunk, n in chunks.items() if not self._knows_all(chunk)})
        content = json.loads(self._tokenizer.to_str())["model"]
        vocabulary: dict[str, int] = content["vocab"]
        merges = dict.fromkeys((left, right) for left, right in content["merges"])

        def add(piece: str) -> None:
            vocabulary.setdefault(piece, len(vocabulary))

        for letter in _alphabet(strange, max(0, vocabulary_size - len(vocabulary)) // 2, known=vocabulary.keys()):
            add(letter)
        # To the learner every piece is one letter, so that it joins pieces as it else joins letters.
        model, names = _model(vocabulary, merges), sorted(vocabulary, key=lambda name: vocabulary[name])
        as_letter = {name: chr(FIRST_PRIVATE + number) for number, name in enumerate(names)}
        as_letter |= dict.fromkeys(BYTE_PIECES, " ")  # letters left to bytes are not joined
        spelled: Counter[str] = Counter()
        for chunk, count in strange.items():
            spelled["".join(as_letter[token.value] for token in model.tokenize(chunk))] += count
        letters = _alphabet(spelled, len(names))
        room = max(0, vocabulary_size - len(vocabulary))
        for pair in _learn(spelled, letters, len(letters) + room)[1]:
            left, right = ("".join(names[ord(letter) - FIRST_PRIVATE] for letter in part) for part in pair)
            add(left + right)
            merges.setdefault((left, right))
        return Tokenizer(_assembled(_model(vocabulary, merges), self.length), self._known | known)

    def spelling(self, piece: str) -> list[int]:
        """The pieces of this tokenizer that spell a piece of one grown from it."""
        return [token.id for token in self._tokenizer.model.tokenize(piece)]

    @property
    def pieces(self) -> list[str]:
        """All pieces, by their numbers."""
        vocabulary = self._tokenizer.get_vocab()
        return sorted(vocabulary, key=lambda piece: int(vocabulary[piece]))

    @property
    def vocabulary_size(self) -> int:
        """Number of pieces, at most the bound given to `train`."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Captions to tokens [N, L] int64, padded with pad_id, cut after L; a caption of blanks is <null>."""
        # One by one: the library's batch call starts threads of its own, which compete with those of torch.
        tokens = torch.tensor(
            [self._tokenizer.encode(printable(text)).ids for text in texts], dtype=torch.int64
        ).reshape(len(texts), self.length)
        tokens[tokens[:, 0] == self.pad_id, 0] = self.null_id
        return tokens

    def decode(self, tokens: Sequence[int] | torch.Tensor) -> str:
        """The normalised text that one row of tokens [L] stands for; padding and <null> give nothing."""
        numbers = [int(number) for number in tokens if int(number) not in (self.pad_id, self.null_id)]
        return str(self._tokenizer.decode(numbers, skip_special_tokens=False))

    def unknown(self, text: str) -> list[str]:
        """Words of `text`, normalised and in order, that no training caption had.

        A run of Japanese script counts as known when it divides into runs and pieces of the training captions.
        """
        normalized = self._tokenizer.normalizer.normalize_str(printable(text))
        return [unit for unit in dict.fromkeys(UNITS.findall(normalized)) if not self._knows(unit)]

    def _knows_all(self, chunk: str) -> bool:
        return all(self._knows(unit) for unit in UNITS.findall(chunk.replace(SPACE, " ")))

    def _knows(self, unit: str) -> bool:
        if unit in self._known:
            return True
        if re.fullmatch(JAPANESE_RUN, unit):
            reached = {0}
            for end in range(1, len(unit) + 1):
                if any(start in reached and unit[start:end] in self._parts for start in range(max(0, end - 32), end)):
                    reached.add(end)
            return len(unit) in reached
        # Punctuation and invisible marks are no words; a pictorial symbol such as an emoji is one.
        category = unicodedata.category(unit[0])
        return category[0] in "PM" or category in ("Sm", "Sc", "Sk", "Cc", "Cf")

    def save(self, path: Path) -> None:
        """Write everything to one tokenizer.json: the `tokenizers` library's own format, and `known_words`."""
        content = json.loads(self._tokenizer.to_str())
        content["known_words"] = sorted(self._known)
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a tokenizer.json; raises UserError when it is missing, broken or not one of ours."""
        try:
            content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            known = content.pop("known_words")
            tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))
        except Exception as error:  # the library raises bare Exception
            raise UserError(
                f"{path}: expected a tokenizer.json written by bespoke ({type(error).__name__}: {error}); "
                "give a complete model folder"
            ) from error
        return cls(tokenizer, known)


def swap_word(text: str, rng: np.random.Generator) -> str | None:
    """Replace one colour, number or pattern word by another of its kind, so that the caption is no longer true.

    Returns None when there is nothing to swap. The result is NFKC-normalised; English articles follow the new word.
    """
    text = unicodedata.normalize("NFKC", text)
    forms = ENGLISH_FORMS if text.isascii() else FORMS  # looking for Japanese words is slow
    found = [(match, form) for form in forms for match in form.pattern.finditer(text)]
    # A family that the caption has already could leave it true.
    present = {(form.kind, form.family[match["word"].lower()]) for match, form in found}
    swaps = []
    for match, form in found:
        choices = [word for family, word in form.families.items() if (form.kind, family) not in present]
        if choices:
            swaps.append((match, choices))
    if not swaps:
        return None
    match, choices = swaps[int(rng.integers(len(swaps)))]
    word = choices[int(rng.integers(len(choices)))]
    article = "an" if word[0] in "aeiou" else "a"
    before = re.sub(r"\b([Aa])n?(\s+)$", lambda m: m[1] + article[1:] + m[2], text[: match.start()])
    return before + (word.capitalize() if match["word"][0].isupper() else word) + text[match.end() :]


def _normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(BLANKS), " "),
            normalizers.Strip(),
            normalizers.Replace("<", ESCAPED),
        ]
    )


def _model(vocabulary: dict[str, int], merges: Iterable[tuple[str, str]]) -> models.BPE:
    return models.BPE(vocab=vocabulary, merges=list(merges), unk_token=CONTROL_PIECES[1], byte_fallback=True)


def _assembled(model: models.BPE, length: int) -> tokenizers.Tokenizer:
    """The library's tokenizer around a model: how texts get to it, and pieces back to texts."""
    # None of the pieces is registered as special: the library would drop byte pieces on decoding,
    # and would find control pieces inside a user's text.
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = _normalizer(), _pre_tokenizer()
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(), decoders.Replace(ESCAPED, "<")]
    )
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(pad_id=Tokenizer.pad_id, pad_token=CONTROL_PIECES[0], length=length)
    return tokenizer


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(split=False), pre_tokenizers.Split(Regex(CHUNKS), "isolated")]
    )


def _count(texts: Iterable[str]) -> tuple[Counter[str], set[str]]:
    """How often each chunk occurs in `texts`, and their words; one pass."""
    normalizer, pre_tokenizer = _normalizer(), _pre_tokenizer()
    chunks: Counter[str] = Counter()
    known: set[str] = set()
    for text in texts:
        normalized = normalizer.normalize_str(printable(text))
        if normalized:
            chunks.update(chunk for chunk, _ in pre_tokenizer.pre_tokenize_str(normalized))
            known.update(UNITS.findall(normalized))
    return chunks, known


def _alphabet(chunks: Counter[str], most: int, known: Collection[str] = ()) -> list[str]:
    """The most frequent letters of counted chunks but the known ones; the library's own limit breaks ties by chance."""
    letters: Counter[str] = Counter()
    for chunk, count in chunks.items():
        letters.update({letter: count * chunk.count(letter) for letter in set(chunk)})
    fresh = (letter for letter in letters if letter not in known and letter != " ")
    return sorted(fresh, key=lambda letter: (-letters[letter], letter))[:most]


def _learn(chunks: Counter[str], alphabet: list[str], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """At most `size` pieces, those of `alphabet` included, and the merges that build them, from counted chunks."""
    # Other letters stay bytes, and nothing is joined across them.
    rare = str.maketrans(dict.fromkeys(set().union(*chunks) - set(alphabet), " "))
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=1,  # in a small catalogue, a word seen once still deserves a piece
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        special_tokens=[],
        show_progress=False,
    )
    learner = tokenizers.Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    learner.train_from_iterator(_repeated(chunks, rare), trainer)
    learned = json.loads(learner.to_str())["model"]
    pieces = sorted(learned["vocab"], key=lambda piece: int(learned["vocab"][piece]))
    return pieces, [(left, right) for left, right in learned["merges"]]


def _repeated(chunks: Counter[str], rare: dict[int, str]) -> Iterator[str]:
    """The library counts words itself, so each chunk is written as often as it occurs, a few thousand at a time."""
    for chunk, count in sorted(chunks.items()):
        for start in range(0, count, 4096):
            yield " ".join([chunk.translate(rare)] * min(4096, count - start))

"""Which claims can be put to the test? Arms of a comparison: each changes the config in one respect only.

A0 to A9 are the runs that every claim about two embeddings should be held against; docs/commands.md lists them, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bespoke.config import PRESETS, Config, resolve
from bespoke.errors import UserError
from bespoke.pages.texts import Text


class Ablation(NamedTuple):
    """One arm: what it changes, as `--set` would, and the question that it answers against `dual`."""

    change: tuple[str, ...]
    question: Text


def _faithful() -> tuple[str, ...]:
    """What the preset dte-faithful takes away and weighs otherwise, without its sizes and rates."""
    row = PRESETS["dte-faithful"].model_dump()
    respects = {
        "model": ("balance", "word_attention_size", "canonical_width", "realism_start"),
        "loss": tuple(row["loss"]),
        "training": ("contrast_first", "augment", "word_dropout", "word_swaps"),
    }
    return tuple(f"{part}.{key}={json.dumps(row[part][key])}" for part, keys in respects.items() for key in keys)


_NO_CONTRAST = ("loss.sentence=0", "loss.word=0", "loss.sentence_fake=0", "loss.word_fake=0")

ABLATIONS: dict[str, Ablation] = {
    # A0 and A1 are baselines, the field's answers to the whole question, on the sizes and rates of the preset.
    "dte-faithful": Ablation(
        _faithful(),
        Text(
            "A0: what does all bring that goes beyond the paper?",
            "A0: 論文にない工夫のすべては、合わせて何をもたらすか",
        ),
    ),
    "df-gan": Ablation(
        (*_faithful(), *_NO_CONTRAST, "loss.kl=0", "loss.adversarial_leak=1", "model.embeddings=shared"),
        Text(
            "A1: is a matching-aware hinge with one embedding, taught by it alone, enough?",
            "A1: 埋め込み一つと、それだけを学習させる matching-aware のヒンジ損失で足りるか",
        ),
    ),
    "dual": Ablation(
        ("model.embeddings=dual",),
        Text(
            "A2: the method itself: two embeddings, each with a loss of its own",
            "A2: 本手法そのもの(埋め込み二つ、損失もそれぞれ別)",
        ),
    ),
    "shared": Ablation(
        ("model.embeddings=shared",),
        Text(
            "A3: is one embedding, taught by both losses, enough?", "A3: 二つの損失で学習する一つの埋め込みで足りるか"
        ),
    ),
    "head": Ablation(
        ("model.embeddings=head",),
        Text(
            "A4: is realism as a head on the alignment embedding enough?",
            "A4: 整合性の埋め込みに写実性用の出力層を加えるだけで足りるか",
        ),
    ),
    "frozen": Ablation(
        ("model.embeddings=frozen",),
        Text(
            "A5: is an embedding learned before the generator as good?",
            "A5: 生成器より前に学習を終えた埋め込みでも同じ出来か",
        ),
    ),
    "no-stop-gradient": Ablation(
        ("loss.adversarial_leak=1",),
        Text(
            "A6: what does it bring that adversarial terms do not teach the alignment encoder?",
            "A6: 敵対的損失で整合性エンコーダーを学習させないことは、何をもたらすか",
        ),
    ),
    "no-words": Ablation(
        ("loss.word=0", "loss.word_fake=0", "model.word_attention_size=0"),
        Text(
            "A7: what do single words bring beside the sentence, in the losses and in the generator?",
            "A7: 文全体に加えて単語ごとに見ることは、損失と生成器で何をもたらすか",
        ),
    ),
    "color-augmentation": Ablation(
        ("training.augment_colors=true",),
        Text(
            "A8: what does it cost to change colours that captions name?",
            "A8: 説明文が述べる色まで変えるデータ拡張は、何を損なうか",
        ),
    ),
    "contrast-fakes": Ablation(
        ("loss.contrast_fake=1",),
        Text(
            "A9: what does it bring that only real pictures teach the contrast?",
            "A9: 対照学習に実物の画像だけを使うことは、何をもたらすか",
        ),
    ),
    "pretrained": Ablation(
        ("model.embeddings=pretrained",),
        Text("is an encoder borrowed from elsewhere as good?", "外部の学習済みエンコーダーでも同じ出来か"),
    ),
    "hinge": Ablation(
        ("loss.relativistic=false",),
        Text("what does the relativistic pairing bring?", "実物と生成画像を組で比べる損失は、何をもたらすか"),
    ),
    "no-swaps": Ablation(
        ("training.word_swaps=0",),
        Text("what do captions with a swapped word bring?", "1 語を替えた説明文は、何をもたらすか"),
    ),
    "no-contrast": Ablation(
        ("loss.sentence_fake=0", "loss.word_fake=0"),
        Text("what does the contrast bring to the generator?", "対照学習は、生成器に何をもたらすか"),
    ),
    "no-opening": Ablation(
        ("training.contrast_first=0",),
        Text("what does the opening of contrast alone bring?", "対照学習だけで始めることは、何をもたらすか"),
    ),
    "projected": Ablation(
        ("loss.projected=0.2",),
        Text(
            "what does a discriminator bring that looks through borrowed eyes?",
            "外部の学習済みの特徴で見る識別器は、何をもたらすか",
        ),
    ),
    "no-balance": Ablation(
        ("model.balance=false",), Text("what does S_D bring to the generator?", "S_D は、生成器に何をもたらすか")
    ),
    **{
        f"fixed-{b}": Ablation(
            ("model.balance=true", f"training.balance={b}"),
            Text(
                f"what does one generator for all balances cost at b = {b}?",
                f"すべてのバランスを一つの生成器で兼ねることは、b = {b} で何を損なうか",
            ),
        )
        for b in ("0", "0.5", "1")
    },
    "fresh-realism": Ablation(
        ("model.realism_start=fresh",),
        Text(
            "what does it bring that S_G starts as a copy of what S_D knows?",
            "S_G が S_D の知識の写しから始まることは、何をもたらすか",
        ),
    ),
    "no-start": Ablation(
        ("model.canonical_width=0",),
        Text(
            "what do colours and words that met in closed form bring?",
            "色と語の対応を閉形式で先に求めておくことは、何をもたらすか",
        ),
    ),
}


def arms_named(names: str) -> list[str]:
    """The arms of a list such as "dual,shared", the one that the others are compared with first. Raises UserError."""
    arms = [name.strip() for name in names.split(",")]
    for arm in arms:
        if arm not in ABLATIONS:
            raise UserError(f"--arms {names}: no arm {arm!r}; choose of {', '.join(ABLATIONS)}")
    if len(arms) < 2 or len(set(arms)) < len(arms):
        raise UserError(f"--arms {names}: expected two or more different arms; name each once, such as dual,shared")
    return arms


def arm_configs(arm: str, preset: str, overrides: Sequence[str], num_seeds: int) -> list[Config]:
    """The configs of one arm, one a seed, from the preset's seed on. Raises UserError."""
    base = resolve(preset, [*overrides, *ABLATIONS[arm].change])
    return [base.model_copy(update={"seed": base.seed + number}) for number in range(num_seeds)]

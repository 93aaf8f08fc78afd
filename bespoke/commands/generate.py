"""How are pictures made from the command line, a few or thousands?"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bespoke.commands.folders import claim_folder, free_name
from bespoke.commands.screen import Bar, Rate, clock, say
from bespoke.errors import UserError
from bespoke.generation import METADATA, PromptReport, examine, model_name, read_prompts, write_pictures
from bespoke.pipeline import Pipeline, first_seed

DEFAULT_FOLDER = Path("pictures")
SHOWN = 12  # unknown words that are named; more would fill the screen


def generate(
    model: str,
    texts: Sequence[str],
    *,
    prompts: Path | None,
    num_images: int,
    balance: float,
    seed: int | None,
    best_of: int,
    out: Path | None,
) -> bool:
    """Write the pictures of all texts into a folder and say where; False where Ctrl-C stopped it. Raises UserError."""
    source = _source(texts, prompts)
    pipeline = Pipeline.from_pretrained(model, editor=False)
    report = examine(source(), pipeline)
    if not report.num_texts:
        raise UserError(f"{prompts}: no text in it; write one a line")
    seed = first_seed(seed)
    pictures = pipeline.stream(source(), num_images=num_images, balance=balance, seed=seed, best_of=best_of)
    folder = claim_folder(free_name(DEFAULT_FOLDER) if out is None else out)
    if warning := unknown_text(report):
        say(warning)
    total, rate, done = report.num_texts * num_images, Rate(), 0
    rate(0)
    try:
        with Bar("Making pictures") as bar:
            for done, _ in enumerate(write_pictures(pictures, folder, model=model_name(model, pipeline)), 1):
                speed = rate(done)
                left = f", {clock((total - done) / speed)} left" if speed else ""
                bar.update(done, total, f"{done:,} of {total:,}, {speed:.1f} a second{left}")
    except KeyboardInterrupt:
        texts_done = done // num_images
        first = seed + texts_done * num_images
        say(
            f"Stopped: {done:,} of {total:,} pictures are in {folder}, described in {folder / METADATA}. For the "
            f"others give the texts from number {texts_done + 1} on, --seed {first} and a new --out."
        )
        return False
    say(f"{total:,} {'picture' if total == 1 else 'pictures'} in {folder}, described in {folder / METADATA}")
    return True


def _source(texts: Sequence[str], prompts: Path | None) -> Callable[[], Iterable[str]]:
    """Something that gives all texts, as often as it is asked."""
    if prompts is not None:
        if texts:
            raise UserError(f"{texts[0]!r} and --prompts {prompts}: expected texts or a file of them; leave one out")
        return lambda: read_prompts(prompts)
    if not texts:
        raise UserError('no text; say what to draw, as in: bespoke generate RUN "a red cup", or give --prompts FILE')
    for number, text in enumerate(texts, 1):
        if not text.strip():
            raise UserError(f"text {number} is empty; say what to draw")
    return lambda: texts


def unknown_text(report: PromptReport) -> str:
    """One line that names the words the model has never seen; empty where it knows them all."""
    if not report.unknown:
        return ""
    common = [shlex.quote(word) for word, _ in report.unknown.most_common(SHOWN)]
    more = f" and {len(report.unknown) - SHOWN:,} more" if len(report.unknown) > SHOWN else ""
    where = f" ({report.num_with_unknown:,} of {report.num_texts:,} texts)" if report.num_texts > 1 else ""
    return f"Never seen in training, so guessed at: {', '.join(common)}{more}{where}"

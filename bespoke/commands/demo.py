"""What does Bespoke do? The main job in minutes: a new product line is drawn, checked, taught, measured and shown."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.check import PAGE, check_catalogue
from bespoke.commands.demo_page import Case, Story, page
from bespoke.commands.demo_texts import say as text_of
from bespoke.commands.folders import claim_folder, free_name
from bespoke.commands.generate import generate
from bespoke.commands.screen import Bar, Rate, say
from bespoke.commands.train import train
from bespoke.data.columns import Columns
from bespoke.data.sample import sample_attributes, sample_captions, sample_drawing, write_sample
from bespoke.data.sample_attributes import Attributes
from bespoke.data.sample_objects import NEW_LINE
from bespoke.data.sample_reading import Reader, Right, count_right
from bespoke.errors import UserError
from bespoke.pages.texts import Language, language_of
from bespoke.pipeline import Pipeline
from bespoke.studio.workshop.runs import read_progress

DEFAULT_FOLDER = Path("bespoke-demo")
BASE = "products"  # it has never seen the new line
NUM_PICTURES, SIZE, SEED = 300, 64, 0  # of the catalogue
SHOWN_SEED, ASKED_SEED = 10**6, 10**6 + 1  # of the page's texts and of those that are measured: nothing is trained on
NUM_SHOWN, NUM_ASKED = 8, 100
# More steps in the same minutes; a mean over most of them, which is right more often (docs/base-models.md); a look a
# minute.
OVERRIDES = ("training.batch_size=16", "training.ema_ramp=0.4", "training.validation_every_minutes=1")
# A model that was taught for minutes draws the kind asked for more often at a low balance (docs/base-models.md).
BALANCE, BEST_OF = 0.25, 1


def demo(minutes: float, language: str | None, out: Path | None) -> bool:
    """Teach the base 300 drawn pictures and tell the story on one page; False where training was stopped.

    Raises UserError.
    """
    spoken, began = language_of(language), time.monotonic()
    folder = claim_folder(free_name(DEFAULT_FOLDER) if out is None else out)
    catalogue, run = folder / "catalogue", folder / "run"
    _draw_catalogue(catalogue)
    checked = check_catalogue(str(catalogue), columns=Columns(), language=spoken, out=folder / "check", write=None)
    shown = _shown()
    texts = [_text(SHOWN_SEED, index, attributes, spoken) for index, attributes in shown]
    _generate(BASE, texts, folder / "before")
    if not train(
        str(catalogue),
        run,
        preset=None,
        minutes=minutes,
        images=None,
        base=BASE,
        resume=False,
        overrides=OVERRIDES,
        skip_bad=False,
        columns=Columns(),
        dry_run=False,
    ):
        return False
    _generate(str(run), texts, folder / "pictures")
    before, after, real = _measured(run, spoken)
    real_pictures = [_png(index, attributes) for index, attributes in shown]
    pictures = zip(texts, _files(folder / "before"), _files(folder / "pictures"), real_pictures, strict=True)
    story = Story(
        checked=checked,
        cases=[Case(*case) for case in pictures],
        before=before,
        after=after,
        real=real,
        shown=read_progress(run).images,
        minutes=minutes,
        minutes_in_all=(time.monotonic() - began) / 60,
        run=run,
    )
    _write(folder / PAGE, page(story, spoken))
    say(text_of("screen.result", spoken, both=after.both, count=after.num_pictures, before=before.both, real=real.both))
    say(text_of("screen.page", spoken, path=str(folder / PAGE)))
    return True


def _draw_catalogue(folder: Path) -> None:
    rate = Rate()
    with Bar("Drawing pictures") as bar:
        tell = lambda done, total: bar.update(done, total, f"{done:,} pictures, {rate(done):.0f} a second")  # noqa: E731
        write_sample(folder, NUM_PICTURES, SIZE, SEED, "both", objects=[NEW_LINE], progress=tell)
    say(f"{NUM_PICTURES:,} pictures of a product line that {BASE} has never seen, drawn into {folder}")


def _shown() -> list[tuple[int, Attributes]]:
    """What the page asks for, and where in its drawing: products in different colours."""
    found: dict[str, tuple[int, Attributes]] = {}
    index = 0
    while len(found) < NUM_SHOWN:
        attributes = sample_attributes(SHOWN_SEED, index, [NEW_LINE])
        found.setdefault(attributes.color, (index, attributes))
        index += 1
    return list(found.values())


def _text(seed: int, index: int, attributes: Attributes, language: Language) -> str:
    """The first caption of a drawing, which names the colour."""
    return sample_captions(seed, index, attributes, language)[0]


def _generate(model: str, texts: Sequence[str], folder: Path) -> None:
    generate(model, texts, prompts=None, num_images=1, balance=BALANCE, seed=0, best_of=BEST_OF, out=folder)


def _measured(run: Path, language: Language) -> tuple[Right, Right, Right]:
    """How often kind and colour are right: drawn by the base, drawn by the new model, and in real pictures."""
    asked = [sample_attributes(ASKED_SEED, index, [NEW_LINE]) for index in range(NUM_ASKED)]
    texts = [_text(ASKED_SEED, index, attributes, language) for index, attributes in enumerate(asked)]
    with Bar("Measuring") as bar:
        bar.update(0, 4, "drawing silhouettes of all kinds of products")
        reader, found = Reader(size=SIZE), []
        for number, model in enumerate((BASE, str(run)), 1):
            bar.update(number, 4, f"reading what {model} draws")
            drawn = Pipeline.from_pretrained(model, editor=False).stream(
                texts, balance=BALANCE, seed=0, best_of=BEST_OF
            )
            found.append(count_right((picture.image for picture in drawn), asked, reader))
        bar.update(3, 4, "reading real pictures")
        real = (sample_drawing(ASKED_SEED, index, SIZE, attributes).picture for index, attributes in enumerate(asked))
        return found[0], found[1], count_right(real, asked, reader)


def _files(folder: Path) -> list[bytes]:
    """The pictures as they were written, with their marks."""
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]


def _png(index: int, attributes: Attributes) -> bytes:
    file = io.BytesIO()
    sample_drawing(SHOWN_SEED, index, SIZE, attributes).picture.save(file, "PNG")
    return file.getvalue()


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror}); free some disk space") from error

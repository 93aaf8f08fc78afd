"""In which words is something said that the workshop's processes know by a key?"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bespoke.studio.workshop.limits import MOST_PIXELS

_PROBLEMS = {
    "empty": gettext_lazy("the file is empty"),
    "no_picture": gettext_lazy("not a JPEG, PNG or WebP picture, whatever its name says"),
    "broken": gettext_lazy("broken or cut off; send it again"),
    "oversized": gettext_lazy("too many pixels (at most %(megapixels)d million); make it smaller"),
    "tiny": gettext_lazy("too small to learn from (a side is under 16 pixels)"),
    "deadly": gettext_lazy("cannot be opened safely"),
    "slow": gettext_lazy("takes too long to open"),
    "too_large": gettext_lazy("too large (at most 64 MB a file)"),
    "locked": gettext_lazy("locked by a password"),
    "unknown_file": gettext_lazy("neither a picture nor a spreadsheet"),
    "no_row": gettext_lazy("has no row in the spreadsheet"),
    "no_file": gettext_lazy("stands in the spreadsheet, but was not sent"),
    "two_files": gettext_lazy("may mean several of the files that were sent; give them different names"),
    "no_zip": gettext_lazy("not a zip that can be read"),
    "bomb": gettext_lazy("unpacks to far more than a catalogue; nothing of it was kept"),
    "too_many": gettext_lazy("holds too many entries"),
    "no_table": gettext_lazy("No spreadsheet was sent: CSV, Excel or JSONL with a file name and a caption a row."),
    "two_tables": gettext_lazy("one spreadsheet too many; send one"),
    "bad_table": gettext_lazy("cannot be read as a spreadsheet"),
    "bad_split": gettext_lazy("the column split may say train, validation or test"),
    "long_caption": gettext_lazy("has more than 20 captions, or one of more than 1000 characters"),
    "nothing": gettext_lazy("No picture with a row is left, so there is no catalogue."),
    "name_taken": gettext_lazy("Another catalogue has got this name meanwhile."),
}
_ALARMS = {
    "discriminator overfits": gettext_lazy("It learns the training pictures by heart. More pictures would help."),
    "alignment head exploited": gettext_lazy(
        "It pleases its own judge more than real pictures do: look at the pictures, not at its numbers."
    ),
    "penalty unbalanced": gettext_lazy("Its judge looks at drawn and at real pictures too differently."),
    "text ignored": gettext_lazy("The pictures hardly follow the captions. Do the captions tell the pictures apart?"),
    "noise ignored": gettext_lazy("All pictures of one caption look the same: expect little variety."),
    "realism embedding collapsed": gettext_lazy(
        "It understands nearly the same of every caption (realism). Look at the captions."
    ),
    "alignment embedding collapsed": gettext_lazy(
        "It understands nearly the same of every caption (faithfulness). Look at the captions."
    ),
    "embeddings have become one": gettext_lazy("Realism and faithfulness have become one: the balance will do little."),
    "balance has lost its grip": gettext_lazy("Realism and faithfulness pull unevenly: the balance may do little."),
    "activations grow": gettext_lazy("Its inner numbers grow too far; it may break off."),
}
# What the command line advises in its own terms.
_ADVICE = {
    "train_from_base": gettext_lazy("Start from a model of a similar, larger catalogue."),
    "clean": gettext_lazy("Take copies and unusable pictures out: see below."),
}
_GATE_ADVICE = {
    "realism": gettext_lazy("Train longer, or add pictures."),
    "distance": gettext_lazy("Train longer, or add pictures."),
    "variety": gettext_lazy("Add pictures of the kinds that are missing, or train longer."),
    "faithfulness": gettext_lazy("Mend captions, or train longer."),
    "copies": gettext_lazy("Add pictures, or train for less time."),
}
_CANNOT_TELL = gettext_lazy("Add pictures, or captions that tell them apart, for its judges to learn from.")


def tell_problem(kind: str, detail: str) -> str:
    """What is wrong with an upload; details of tables are English, as the command line says them."""
    told = str(_PROBLEMS[kind])
    if kind == "oversized":
        told %= {"megapixels": MOST_PIXELS // 1_000_000}
    return f"{told} ({detail})" if detail and kind != "broken" else told


def tell_alarm(name: str) -> str:
    """What an alarm of a training means to somebody who will not change settings."""
    return str(_ALARMS[name])


def tell_advice(key: str, text: str) -> str:
    """What to do about a catalogue; `text` is what the command line says."""
    return str(_ADVICE.get(key, text))


def tell_gate_advice(name: str, measured: float | None) -> str:
    """What to do where a release gate was not passed."""
    return str(_CANNOT_TELL if measured is None else _GATE_ADVICE[name])


def tell_minutes(minutes: float) -> str:
    """A time that is left, no finer than anybody needs."""
    if minutes < 1.5:
        return _("about a minute")
    if minutes < 90:
        return _("%(minutes)d minutes") % {"minutes": round(minutes)}
    return _("%(hours)d hours") % {"hours": round(minutes / 60)}

"""Is every message that the code asks for translated, and is what was compiled what was written?"""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import polib
from django.utils.translation.template import templatize

STUDIO = Path(__file__).parent.parent.parent / "bespoke" / "studio"
FOLDER = STUDIO / "locale" / "ja" / "LC_MESSAGES"
STRING = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext"}


def asked_for() -> set[str]:
    """The messages of all modules and templates, as Django's own extraction sees them."""
    found = set()
    for module in STUDIO.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                found.add(ast.literal_eval(node.args[0]))
    for template in STUDIO.rglob("*.html"):
        source = templatize(template.read_text("utf-8"))
        found |= {ast.literal_eval(text) for text in re.findall(rf"gettext\(u?({STRING})", source)}
    return found


def test_every_message_has_a_japanese_translation() -> None:
    entries = {entry.msgid: entry for entry in polib.pofile(str(FOLDER / "django.po"))}
    assert len(asked_for()) > 80
    assert asked_for() - entries.keys() == set()
    assert entries.keys() - asked_for() == set()  # nothing that nobody asks for any more
    assert [entry.msgid for entry in entries.values() if not entry.translated() or entry.fuzzy] == []


def test_a_translation_fills_in_what_the_message_does() -> None:
    for entry in polib.pofile(str(FOLDER / "django.po")):
        for told in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert sorted(re.findall(r"%\(\w+\)s", told)) == sorted(re.findall(r"%\(\w+\)s", entry.msgid)), entry.msgid
            assert re.findall(r"</?\w+>", told) == re.findall(r"</?\w+>", entry.msgid)


def test_what_was_compiled_is_what_was_written() -> None:
    written = polib.pofile(str(FOLDER / "django.po"))
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in written:
        if entry.msgid_plural:
            assert compiled.ngettext(entry.msgid, entry.msgid_plural, 2) == entry.msgstr_plural[0]
        else:
            assert compiled.gettext(entry.msgid) == entry.msgstr

from __future__ import annotations

import pytest

from bespoke.data.columns import fill
from bespoke.data.markup import as_words
from bespoke.data.tables import as_texts


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>赤いマグカップ<br>素材&amp;色：陶器<BR/>\n口径&nbsp;8cm</p>", "赤いマグカップ 素材&色：陶器 口径\xa08cm"),
        ('<div class="a"><span style="color: red">A <b>red</b></span> mug</div>', "A red mug"),
        ("<ul><li>red</li><li>wide</li></ul>", "red wide"),
        ("<style>p { color: red }</style><p>a mug<!-- <b>old</b> --></p>", "a mug"),
        ("a mug &lt;new&gt; &#9733;&#x2605;", "a mug <new> ★★"),
    ],
)
def test_of_html_the_words_are_left(written: str, read: str) -> None:
    assert as_words(written) == read
    assert as_texts(written, "metadata.csv:2") == [read]
    assert fill("{text}", {"text": written}) == " ".join(read.split())


@pytest.mark.parametrize("text", ["size <M>, 3 < 4 > 2", "R&D; a&b", "<pad> <0x41>", "wide\n  mug", "Q&A"])
def test_what_is_no_html_stays_as_it_is(text: str) -> None:
    assert as_words(text) == text


def test_a_caption_of_tags_alone_is_none() -> None:
    assert as_texts("<p><br></p>", "metadata.csv:2") == []
    assert as_texts("<p>&nbsp;</p>", "metadata.csv:2") == []
    assert fill("{text}", {"text": "<p></p>"}) == ""

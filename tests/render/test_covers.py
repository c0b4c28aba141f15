from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from syndicate.errors import RenderError
from syndicate.render.covers import cover
from tests.render import hostile, paper
from tests.render.test_articles import everywhere


def opened(picture: bytes) -> Image.Image:
    return Image.open(BytesIO(picture))


def test_a_cover_is_the_front_of_the_issue(installed: tuple[Path, ...]) -> None:
    picture = cover(paper.ISSUE, paper.ENTRIES, paper.PAPER, installed)

    assert opened(picture).size == (1200, 1600)
    assert len(picture) < 300_000
    assert cover(paper.ISSUE, paper.ENTRIES, paper.PAPER, installed) == picture
    assert cover(replace(paper.ISSUE, number=4128), paper.ENTRIES, paper.PAPER, installed) != picture


def test_a_cover_shows_nothing_withdrawn(installed: tuple[Path, ...]) -> None:
    gone = replace(paper.ENTRIES[0], withdrawn=paper.PRINTED)

    assert cover(paper.ISSUE, (gone, *paper.ENTRIES[1:]), paper.PAPER, installed) == cover(
        paper.ISSUE, paper.ENTRIES[1:], paper.PAPER, installed
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_cover_needs_no_more_than_the_name(installed: tuple[Path, ...], count: int) -> None:
    bare = replace(paper.ISSUE, number=None, lunar_date=None, publisher=None, pages=())
    english = replace(
        paper.PAPER, language="en", title="The Qinglan County and River Valley Daily", publisher=None
    )

    assert opened(cover(bare, paper.ENTRIES[:count], english, installed)).size == (1200, 1600)


def test_a_cover_of_hostile_text_is_drawn(installed: tuple[Path, ...]) -> None:
    texts = hostile.texts(payloads=False)
    entries = [replace(paper.entry(everywhere(text), n), page=1) for n, text in enumerate(texts, 1)]

    for at in range(0, 20, 4):
        assert opened(cover(paper.ISSUE, entries[at:], paper.PAPER, installed)).size == (1200, 1600)


def test_without_a_font_there_is_no_picture(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")

    with pytest.raises(RenderError, match="no font for Chinese"):
        cover(paper.ISSUE, paper.ENTRIES, paper.PAPER, ())
    with pytest.raises(RenderError, match=r"broken\.ttf: no picture"):
        cover(paper.ISSUE, paper.ENTRIES, paper.PAPER, (broken,))

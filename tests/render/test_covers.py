from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from syndicate.errors import RenderError
from syndicate.render import covers
from syndicate.render.covers import Card, card, card_of, cover
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

SIZES = (covers.WIDE, covers.BANNER, covers.SHARED, covers.SQUARE)
TOLD = Card("青溪二桥今起试通车", "两岸乡亲等了三十年", "青岚日报", "2026年11月16日 星期一", "qinglan/yaowen")
LONG = "青溪二桥今起试通车，石埠到县城缩短十一分钟，骑车过桥有专道，两岸乡亲等了三十年；" * 3


def opened(picture: bytes) -> Image.Image:
    return Image.open(BytesIO(picture))


def luminance(colour: Sequence[int]) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "headline", [TOLD.headline, LONG, "The river " * 30, ""], ids=("short", "long", "latin", "none")
)
def test_a_card_has_the_size_asked_for_and_few_bytes(
    installed: tuple[Path, ...], size: tuple[int, int], headline: str
) -> None:
    picture = card(replace(TOLD, headline=headline, kicker=headline), size, installed)

    assert opened(picture).size == size
    assert opened(picture).format == "PNG"
    assert len(picture) < 100_000  # WeChat takes 1 MB, we promise 300 kB


def test_a_card_is_the_same_for_the_same_words_only(installed: tuple[Path, ...]) -> None:
    first = card(TOLD, covers.WIDE, installed)

    assert card(TOLD, covers.WIDE, installed) == first
    for other in ("headline", "kicker", "paper", "folio", "tone"):
        assert card(replace(TOLD, **{other: "沙洲段"}), covers.WIDE, installed) != first


def test_a_card_says_what_the_article_says() -> None:
    bridge, _, schools, _, _, nameless = (card_of(entry, paper.PAPER) for entry in paper.ENTRIES)

    assert (bridge.headline, bridge.kicker) == ("青溪二桥今起试通车", "两岸乡亲等了三十年")
    assert (bridge.paper, bridge.folio) == ("青岚日报", "2026年11月16日 星期一")
    assert schools.kicker == "走乡记"
    assert nameless.kicker == "文体"
    assert nameless.headline


def test_what_is_drawn_stands_clear_of_its_ground(installed: tuple[Path, ...]) -> None:
    for seed in ("a", "b", "c", "d", "e", "f"):
        picture = opened(card(replace(TOLD, tone=seed), covers.WIDE, installed)).convert("RGB")
        colours = sorted(picture.getcolors() or [], reverse=True)
        ground = colours[0][1]
        lightest = max((colour for _, colour in colours), key=lambda c: luminance(c))  # type: ignore[arg-type]
        assert contrast(ground, lightest) >= 7  # type: ignore[arg-type]
    for tone in covers.TONES:
        assert contrast(bytes.fromhex(tone[1:]), bytes.fromhex(covers.PAPER[1:])) >= 7


def test_a_section_keeps_its_colour() -> None:
    assert covers.tone("qinglan/yaowen") == "#12505b"
    assert {covers.tone(str(n)) for n in range(99)} == set(covers.TONES)


def test_nothing_is_drawn_at_the_edges(installed: tuple[Path, ...]) -> None:
    for size in SIZES:
        picture = opened(
            card(replace(TOLD, headline=LONG, kicker=LONG, paper=LONG), size, installed)
        ).convert("L")
        width, height = size
        ground = picture.getpixel((2, height - 2))
        assert isinstance(ground, int)
        left = picture.crop((0, 0, width // 40, height))
        extrema = left.getextrema()
        assert extrema[1] < ground + 40  # the watermark may reach there, letters not


def test_what_the_font_cannot_draw_is_left_out(installed: tuple[Path, ...]) -> None:
    plain = card(replace(TOLD, headline="桥通车"), covers.WIDE, installed)

    assert card(replace(TOLD, headline="桥\U0001f600\u202e通\ufe0f车\x00"), covers.WIDE, installed) == plain


@settings(max_examples=20)
@given(text=some.text(max_size=200), size=some.sampled_from(SIZES))
def test_any_text_can_be_drawn(installed: tuple[Path, ...], text: str, size: tuple[int, int]) -> None:
    entry = replace(paper.ENTRIES[0], article=everywhere(text))

    assert opened(card(card_of(entry, paper.PAPER), size, installed)).size == size


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
        card(TOLD, covers.WIDE, ())
    with pytest.raises(RenderError, match=r"broken\.ttf: no picture"):
        cover(paper.ISSUE, paper.ENTRIES, paper.PAPER, (broken,))

"""Cards: drawn for what has no picture of its own."""

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
from syndicate.render import cards, pen
from syndicate.render.cards import Card, card, card_of
from syndicate.render.covers import PAPER
from tests.render import paper
from tests.render.test_articles import everywhere

SIZES = tuple(cards.SHAPES.values())
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
    first = card(TOLD, cards.WIDE, installed)

    assert card(TOLD, cards.WIDE, installed) == first
    for other in ("headline", "kicker", "paper", "folio", "tone"):
        assert card(replace(TOLD, **{other: "沙洲段"}), cards.WIDE, installed) != first


def test_a_card_says_what_the_article_says() -> None:
    bridge, _, schools, _, _, nameless = (card_of(entry, paper.PAPER) for entry in paper.ENTRIES)

    assert (bridge.headline, bridge.kicker) == ("青溪二桥今起试通车", "两岸乡亲等了三十年")
    assert (bridge.paper, bridge.folio) == ("青岚日报", "2026年11月16日 星期一")
    assert schools.kicker == "走乡记"
    assert nameless.kicker == "文体"
    assert nameless.headline


def test_what_is_drawn_stands_clear_of_its_ground(installed: tuple[Path, ...]) -> None:
    for seed in ("a", "b", "c", "d", "e", "f"):
        picture = opened(card(replace(TOLD, tone=seed), cards.WIDE, installed)).convert("RGB")
        colours = sorted(picture.getcolors() or [], reverse=True)
        ground = colours[0][1]
        lightest = max((colour for _, colour in colours), key=lambda c: luminance(c))  # type: ignore[arg-type]
        assert contrast(ground, lightest) >= 7  # type: ignore[arg-type]
    for tone in cards.TONES:
        assert contrast(bytes.fromhex(tone[1:]), bytes.fromhex(PAPER[1:])) >= 7


def test_a_section_keeps_its_colour() -> None:
    assert cards.tone("qinglan/yaowen") == "#12505b"
    assert {cards.tone(str(n)) for n in range(99)} == set(cards.TONES)


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
    plain = card(replace(TOLD, headline="桥通车"), cards.WIDE, installed)

    assert card(replace(TOLD, headline="桥\U0001f600\u202e通\ufe0f车\x00"), cards.WIDE, installed) == plain


@settings(max_examples=20)
@given(text=some.text(max_size=200), size=some.sampled_from(SIZES))
def test_any_text_can_be_drawn(installed: tuple[Path, ...], text: str, size: tuple[int, int]) -> None:
    entry = replace(paper.ENTRIES[0], article=everywhere(text))

    assert opened(card(card_of(entry, paper.PAPER), size, installed)).size == size


def test_without_a_font_there_is_no_card() -> None:
    with pytest.raises(RenderError, match="no font for Chinese"):
        card(TOLD, cards.WIDE, ())


def test_a_headline_of_which_nothing_can_be_drawn_leaves_no_empty_card(installed: tuple[Path, ...]) -> None:
    bare = replace(TOLD, headline="\U0001f600\U0001f600")

    assert card(bare, cards.WIDE, installed) == card(
        replace(TOLD, headline=TOLD.kicker, kicker=""), cards.WIDE, installed
    )
    assert card(replace(bare, kicker=""), cards.WIDE, installed) == card(
        replace(TOLD, headline=TOLD.paper, kicker=""), cards.WIDE, installed
    )


def test_a_character_that_no_font_has_leaves_the_printer_s_mark(installed: tuple[Path, ...]) -> None:
    beyond = card(replace(TOLD, headline="\U000323af家村的古桥"), cards.WIDE, installed)

    assert beyond == card(replace(TOLD, headline="〓家村的古桥"), cards.WIDE, installed)


def test_the_address_changes_with_what_the_card_says() -> None:
    entry = paper.ENTRIES[0]
    other = replace(entry, article=replace(entry.article, headline="青溪二桥今起通车"))

    first = cards.address(entry, paper.PAPER, "https://paper.example", "wide")

    assert first.startswith(f"https://paper.example/{entry.publication}/cards/{entry.date}/")
    assert first.split("?")[0] == f"https://paper.example{cards.path(entry, 'wide')}"
    assert cards.address(entry, paper.PAPER, "https://paper.example", "wide") == first
    assert cards.address(other, paper.PAPER, "https://paper.example", "wide") != first


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_card_without_a_word_needs_no_font(size: tuple[int, int]) -> None:
    picture = opened(cards.plain(TOLD, size)).convert("RGB")

    assert picture.size == size
    assert len(picture.getcolors() or []) == 3
    assert cards.plain(TOLD, size) == cards.plain(TOLD, size)


def test_few_faces_are_kept_open(installed: tuple[Path, ...]) -> None:
    for n in range(1, 60):
        card(replace(TOLD, headline="桥" * n, kicker="沙" * n), cards.WIDE, installed)

    assert pen._font.cache_info().currsize <= 24

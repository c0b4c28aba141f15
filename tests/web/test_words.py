"""Every word of the interface is there in Chinese, and written as Chinese is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import extract_from_ast

from syndicate.render.templates import environment
from syndicate.settings import CHECKOUT
from tests.web.conftest import Page
from tests.web.test_pages import EVERY_PAGE

TEMPLATES = CHECKOUT / "templates"


def catalog(folder: str) -> Catalog:
    with (TEMPLATES / folder / "zh_CN.po").open("rb") as lines:
        return read_po(lines, locale="zh_CN")


def words(file: Path) -> set[str]:
    tree = environment("en").parse(file.read_text(encoding="utf-8"))
    found = (message for _, _, message in extract_from_ast(tree))
    return {message if isinstance(message, str) else str((message or ("",))[0]) for message in found}


def test_every_word_is_translated_and_none_is_left_over() -> None:
    used = {word for file in (TEMPLATES / "web").glob("*.html") for word in words(file)}

    translated = {m.id if isinstance(m.id, str) else m.id[0] for m in catalog("web") if m.id and m.string}

    assert translated == used


def test_translations_take_the_same_values() -> None:
    for message in catalog("web"):
        if message.id:
            ids = message.id if isinstance(message.id, str) else message.id[0]
            strings = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
            assert set(re.findall(r"%\(\w+\)s", ids)) == set(re.findall(r"%\(\w+\)s", strings)), ids


def test_mail_and_pages_do_not_translate_a_word_differently() -> None:
    pages = {m.id: m.string for m in catalog("web") if m.id}

    for message in catalog("email"):
        if message.id in pages:
            assert message.string == pages[message.id], message.id


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_no_english_is_left_on_a_chinese_page(page: Page, address: str) -> None:
    text = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]*\blang=\"en\"[^>]*>[^<]*|<code\b.*?</code>|<p class=\"address\">[^<]*|<[^>]*>",
        " ",
        page(address),
        flags=re.S,
    )

    left = set(re.findall(r"[A-Za-z][A-Za-z.]+", text)) - {
        "RSS",
        "Atom",
        "JSON",
        "Feed",
        "OPML",
        "feeds.opml",
    }

    assert left == set()


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_no_half_width_mark_stands_between_han_characters(page: Page, address: str) -> None:
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", "", page(address), flags=re.S)

    assert re.findall(r"[\u4e00-\u9fff][,;:?!()\"][\u4e00-\u9fff]", text) == []

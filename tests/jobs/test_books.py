"""An issue as book, print and cover."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import feedparser
import pytest

from syndicate.deliver import fonts
from syndicate.jobs import ingest, publish
from syndicate.services import Services
from tests.conftest import optional
from tests.jobs.conftest import sample


@pytest.fixture
def bookish(services: Services) -> Services:
    """Services that make books."""
    return replace(services, settings=replace(services.settings, books=True))


def test_an_issue_encloses_its_book(bookish: Services) -> None:
    ingest.ingest(bookish, sample(16))

    publish.run(bookish)

    feed = bookish.public.find("qinglan", "feeds/issues.atom")
    assert feed is not None
    (entry,) = feedparser.parse(feed.body).entries
    book = next(e for e in entry.enclosures if e.type == "application/epub+zip")
    file = bookish.public.find("qinglan", "books/2026-11-16.epub")
    assert file is not None
    assert book.href == "https://paper.example/qinglan/books/2026-11-16.epub"
    assert int(book.length) == len(file.body)
    assert zipfile.ZipFile(io.BytesIO(file.body)).testzip() is None


def test_where_there_is_a_font_print_and_cover_are_enclosed_too(bookish: Services) -> None:
    if fonts.installed() is None:
        optional("no font for Chinese is installed (Debian: fonts-noto-cjk)")
    ingest.ingest(bookish, sample(16))

    publish.run(bookish)

    kinds = {".pdf": b"%PDF-", ".png": b"\x89PNG"}
    for ending, magic in kinds.items():
        file = bookish.public.find("qinglan", f"books/2026-11-16{ending}")
        assert file is not None
        assert file.body.startswith(magic)


def test_a_book_is_made_anew_only_when_its_issue_changed(bookish: Services) -> None:
    ingest.ingest(bookish, sample(16))
    publish.run(bookish)
    before = bookish.public.find("qinglan", "books/2026-11-16.epub")

    ingest.ingest(bookish, sample(17))
    publish.run(bookish)

    assert bookish.public.find("qinglan", "books/2026-11-16.epub") == before
    assert bookish.public.find("qinglan", "books/2026-11-17.epub") is not None

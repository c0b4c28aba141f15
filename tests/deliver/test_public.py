"""The public folder."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from syndicate.deliver.public import PublicFolder
from syndicate.errors import DeliveryError

FEEDS = {"feeds/all.atom": b"<feed/>", "feeds/all.json": b"{}", "feeds.opml": b"<opml/>"}


@pytest.fixture
def public(tmp_path: Path) -> PublicFolder:
    return PublicFolder(tmp_path / "public")


def test_what_was_published_is_found_with_tag_and_type(public: PublicFolder) -> None:
    public.publish("qinglan", FEEDS)

    found = public.find("qinglan", "feeds/all.atom")

    assert found is not None
    assert found.body == b"<feed/>"
    assert found.type == "application/atom+xml; charset=utf-8"
    assert found.etag.startswith('"')
    assert not found.etag.startswith("W/")


def test_the_same_bytes_again_change_nothing(public: PublicFolder) -> None:
    assert public.publish("qinglan", FEEDS)
    before = public.find("qinglan", "feeds/all.atom")

    assert not public.publish("qinglan", FEEDS)

    assert public.find("qinglan", "feeds/all.atom") is before


def test_an_unchanged_file_keeps_its_time_and_tag_in_a_new_generation(public: PublicFolder) -> None:
    public.publish("qinglan", FEEDS)
    before = public.find("qinglan", "feeds/all.atom")

    public.publish("qinglan", {**FEEDS, "feeds/all.json": b'{"a": 1}'})

    after = public.find("qinglan", "feeds/all.atom")
    assert after == before
    changed = public.find("qinglan", "feeds/all.json")
    assert changed is not None
    assert changed.body == b'{"a": 1}'


def test_a_file_that_is_no_longer_published_is_gone(public: PublicFolder) -> None:
    public.publish("qinglan", FEEDS)

    public.publish("qinglan", {"feeds.opml": b"<opml/>"})

    assert public.find("qinglan", "feeds/all.atom") is None


@pytest.mark.parametrize(
    "name", ["../secret", "feeds/../../secret", "/etc/passwd", "", ".generations", "a\0b", "feeds//x"]
)
def test_a_path_that_climbs_out_finds_nothing(public: PublicFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("s")
    public.publish("qinglan", FEEDS)

    assert public.find("qinglan", name) is None
    assert public.find(name, "feeds.opml") is None


def test_a_reader_never_sees_half_a_generation(public: PublicFolder) -> None:
    public.publish("qinglan", {"a": b"0", "b": b"0"})
    seen: list[bytes | None] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            found = PublicFolder(public._root).find("qinglan", "a")
            seen.append(found.body if found else None)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 100):
        public.publish("qinglan", {"a": str(number).encode(), "b": str(number).encode()})
    stop.set()
    reader.join()

    assert None not in seen
    assert b"" not in seen
    numbers = [int(body) for body in seen if body]
    assert numbers == sorted(numbers)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "public").write_text("a file, not a folder")

    with pytest.raises(DeliveryError, match=r"public: cannot publish qinglan"):
        PublicFolder(tmp_path / "public").publish("qinglan", FEEDS)

"""The public folder."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from pathlib import Path

import brotli
import pytest
import zstandard

from syndicate.deliver.codings import ENDINGS
from syndicate.deliver.public import File, PublicFolder
from syndicate.errors import DeliveryError

FEEDS = {"feeds/all.atom": b"<feed/>", "feeds/all.json": b"{}", "feeds.opml": b"<opml/>"}


def publish(public: PublicFolder, files: dict[str, bytes], slug: str = "qinglan") -> list[str]:
    """An edition of these files and no others; gives the names of those whose bytes are new."""
    with public.edition(slug) as edition:
        for name, body in files.items():
            edition.put(name, body)
        for name in FEEDS.keys() - files.keys():
            edition.drop(name)
    return edition.written


@pytest.fixture
def public(tmp_path: Path) -> PublicFolder:
    return PublicFolder(tmp_path / "public")


def test_what_was_published_is_found_with_tag_and_type(public: PublicFolder) -> None:
    publish(public, FEEDS)

    found = public.find("qinglan", "feeds/all.atom")

    assert found is not None
    assert found.body == b"<feed/>"
    assert found.type == "application/atom+xml; charset=utf-8"
    assert found.etag.startswith('"')
    assert not found.etag.startswith("W/")


def test_the_same_bytes_again_change_nothing(public: PublicFolder) -> None:
    assert publish(public, FEEDS)
    before = public.find("qinglan", "feeds/all.atom")

    assert not publish(public, FEEDS)

    assert public.find("qinglan", "feeds/all.atom") == before


def test_an_unchanged_file_keeps_its_time_and_tag_in_a_new_generation(public: PublicFolder) -> None:
    publish(public, FEEDS)
    before = public.find("qinglan", "feeds/all.atom")

    publish(public, {**FEEDS, "feeds/all.json": b'{"a": 1}'})

    after = public.find("qinglan", "feeds/all.atom")
    assert after == before
    changed = public.find("qinglan", "feeds/all.json")
    assert changed is not None
    assert changed.body == b'{"a": 1}'


def test_a_file_that_is_no_longer_published_is_gone(public: PublicFolder) -> None:
    publish(public, FEEDS)

    publish(public, {"feeds.opml": b"<opml/>"})

    assert public.find("qinglan", "feeds/all.atom") is None


@pytest.mark.parametrize(
    "name", ["../secret", "feeds/../../secret", "/etc/passwd", "", ".generations", "a\0b", "feeds//x"]
)
def test_a_path_that_climbs_out_finds_nothing(public: PublicFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("s")
    publish(public, FEEDS)

    assert public.find("qinglan", name) is None
    assert public.find(name, "feeds.opml") is None


def test_a_reader_never_sees_half_a_generation(public: PublicFolder) -> None:
    publish(public, {"a": b"0", "b": b"0"})
    seen: list[bytes | None] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            found = PublicFolder(public._root).find("qinglan", "a")
            seen.append(found.body if found else None)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 100):
        publish(public, {"a": str(number).encode(), "b": str(number).encode()})
    stop.set()
    reader.join()

    assert None not in seen
    assert b"" not in seen
    numbers = [int(body) for body in seen if body]
    assert numbers == sorted(numbers)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "public").write_text("a file, not a folder")

    with pytest.raises(DeliveryError, match=r"public: cannot publish qinglan"):
        publish(PublicFolder(tmp_path / "public"), FEEDS)


def _cut_short(public: PublicFolder) -> None:
    with public.edition("qinglan") as edition:
        edition.put("feeds/all.atom", b"<feed>half")
        raise ValueError("cut short")


def test_an_edition_that_breaks_off_is_seen_by_nobody(public: PublicFolder) -> None:
    publish(public, FEEDS)
    before = public.find("qinglan", "feeds/all.atom")

    with pytest.raises(ValueError, match="cut short"):
        _cut_short(public)

    assert public.find("qinglan", "feeds/all.atom") == before
    assert [p.name for p in (public._root / ".generations").iterdir() if p.suffix == ".part"] == []


def test_an_old_edition_stays_for_ten_minutes(public: PublicFolder) -> None:
    folder = public._root / ".generations"
    for number in range(4):
        publish(public, {"feeds.opml": str(number).encode()})
    assert len(list(folder.iterdir())) == 4

    for edition in folder.iterdir():
        os.utime(edition, (0, 0))
    (folder / "qinglan.cut.part").mkdir()
    publish(public, {"feeds.opml": b"the last"})

    assert len(list(folder.iterdir())) == 2
    found = public.find("qinglan", "feeds.opml")
    assert found is not None
    assert found.body == b"the last"


def test_what_is_not_written_again_is_taken_over(public: PublicFolder) -> None:
    publish(public, FEEDS)

    with public.edition("qinglan") as edition:
        edition.put("feeds/all.json", b'{"a": 1}')

    assert edition.written == ["feeds/all.json"]
    found = {name: public.find("qinglan", name) for name in FEEDS}
    assert {name: file.body for name, file in found.items() if file} == {
        **FEEDS,
        "feeds/all.json": b'{"a": 1}',
    }


def test_every_coding_holds_the_same_bytes(public: PublicFolder) -> None:
    whole = b"<feed>" + "青岚日报".encode() * 500 + b"</feed>"

    publish(public, {**FEEDS, "feeds/all.atom": whole})
    public.squeeze("qinglan")

    folder = public._root / "qinglan" / "feeds"
    assert gzip.decompress((folder / "all.atom.gz").read_bytes()) == whole
    assert brotli.decompress((folder / "all.atom.br").read_bytes()) == whole
    assert zstandard.ZstdDecompressor().decompress((folder / "all.atom.zst").read_bytes()) == whole


def test_a_changed_file_leaves_no_old_coding_behind(public: PublicFolder) -> None:
    old, new = b"<a/>" * 1000, b"<b/>" * 1000
    publish(public, {"feeds/all.atom": old})
    public.squeeze("qinglan")

    publish(public, {"feeds/all.atom": new})

    folder = public._root / "qinglan" / "feeds"
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["all.atom", "all.atom.gz"]
    assert gzip.decompress((folder / "all.atom.gz").read_bytes()) == new


def test_what_a_reader_is_sent_has_the_tag_of_its_own_text(public: PublicFolder) -> None:
    published = PublicFolder(public._root)
    old, new = b"<a/>" * 1000, b"<b/>" * 1000

    publish(public, {"feeds/all.atom": old})
    first = published.find("qinglan", "feeds/all.atom", ("br", "gzip"))
    publish(public, {"feeds/all.atom": new})
    second = published.find("qinglan", "feeds/all.atom", ("br", "gzip"))
    plain = published.find("qinglan", "feeds/all.atom")

    assert first is not None
    assert second is not None
    assert plain is not None
    assert (first.coding, second.coding) == ("gzip", "gzip")
    assert gzip.decompress(first.body) == old
    assert gzip.decompress(second.body) == plain.body == new
    assert first.etag != second.etag == plain.etag


def test_what_is_kept_outlives_editions_in_every_coding(public: PublicFolder) -> None:
    publish(public, FEEDS)
    page, name = b"<feed/>" * 1000, "feeds/archive/all-2026-10.atom"

    assert public.keep("qinglan", name, page)
    publish(public, {**FEEDS, "feeds.opml": b"<opml></opml>"})
    public.squeeze("qinglan", [name])

    found = public.find("qinglan", name)
    assert found is not None
    assert found.body == page
    packed = {coding: public.find("qinglan", name, (coding,)) for coding in ENDINGS}
    assert all(file and file.coding == coding for coding, file in packed.items())
    assert not public.keep("qinglan", name, page)


def test_pages_that_an_edition_leads_to_are_there_when_it_appears_and_safe_when_it_is_done(
    public: PublicFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(public, FEEDS)
    name = "feeds/archive/all-2026-11-08.atom"
    page = public._root / ".kept" / "qinglan" / name
    appear, synced, seen = public._appear, list[int](), list[bool]()

    def appearing(slug: str, name: str, fresh: Path) -> None:
        seen.append(page.exists() and not synced)
        appear(slug, name, fresh)

    monkeypatch.setattr(os, "fsync", lambda opened: synced.append(os.fstat(opened).st_ino))
    monkeypatch.setattr(public, "_appear", appearing)

    with public.edition("qinglan") as edition:
        page_of_day = File(name, [b"<feed>", b"x" * 2000, b"</feed>"], outlives=True)
        edition.put_all([File("feeds/all.atom", [b"<feed>", b"new", b"</feed>"]), page_of_day])

    assert seen == [True]
    assert {page.stat().st_ino, page.with_name(f"{page.name}.gz").stat().st_ino} <= set(synced)
    live, kept = public.find("qinglan", "feeds/all.atom"), public.find("qinglan", name)
    assert live is not None
    assert live.body == b"<feed>new</feed>"
    assert kept is not None
    assert kept.body == b"<feed>" + b"x" * 2000 + b"</feed>"


def test_a_file_of_more_pieces_than_the_system_writes_at_a_time_is_whole(public: PublicFolder) -> None:
    pieces = [b"%d\n" % n for n in range(5000)]
    with public.edition("qinglan") as edition:
        edition.put_all([File("feeds/all.json", pieces)])

    found, packed = (
        public.find("qinglan", "feeds/all.json"),
        public.find("qinglan", "feeds/all.json", ["gzip"]),
    )
    assert found is not None
    assert found.body == b"".join(pieces)
    assert packed is not None
    assert gzip.decompress(packed.body) == b"".join(pieces)


def test_what_was_killed_before_its_codings_came_gets_them_later(public: PublicFolder) -> None:
    publish(public, FEEDS)
    page, name = b"<feed/>" * 1000, "feeds/archive/all-2026-10.atom"
    public.keep("qinglan", name, page)
    (public._root / "qinglan" / f"{name}.gz").unlink()

    assert public.keep("qinglan", name, page)

    assert (public._root / "qinglan" / f"{name}.gz").exists()


def test_what_is_discarded_is_gone_in_every_coding(public: PublicFolder) -> None:
    publish(public, FEEDS)
    name = "feeds/archive/all-2026-10.atom"
    public.keep("qinglan", name, b"<feed/>" * 1000)

    public.discard("qinglan", name)
    public.discard("qinglan", name)

    assert public.find("qinglan", name) is None
    assert list((public._root / "qinglan" / "feeds" / "archive").iterdir()) == []


@pytest.mark.parametrize("left_out", [None, ".*"])
def test_a_copy_that_followed_links_is_published_over(
    public: PublicFolder, tmp_path: Path, left_out: str | None
) -> None:
    publish(public, FEEDS)
    name = "feeds/archive/all-2026-10.atom"
    public.keep("qinglan", name, b"<feed/>" * 1000)
    ignored = shutil.ignore_patterns(left_out) if left_out else None
    copied = PublicFolder(shutil.copytree(tmp_path / "public", tmp_path / "copy", ignore=ignored))

    assert publish(copied, {**FEEDS, "feeds/all.json": b'{"new":1}'}) == ["feeds/all.json"]

    for file, body in (
        ("feeds/all.atom", b"<feed/>"),
        ("feeds/all.json", b'{"new":1}'),
        (name, b"<feed/>" * 1000),
    ):
        found = copied.find("qinglan", file)
        assert found is not None
        assert found.body == body
    assert copied.keep("qinglan", name, b"<feed/>" * 999)
    replaced = copied.find("qinglan", name)
    assert replaced is not None
    assert replaced.body == b"<feed/>" * 999
    assert not list((tmp_path / "copy" / ".generations").glob("*.part"))
    assert not publish(copied, {**FEEDS, "feeds/all.json": b'{"new":1}'})

"""The public folder: rendered files as any web server can serve them, replaced all at once.

    public/qinglan                → .generations/qinglan.3f2a…      a symbolic link
    public/.generations/qinglan.3f2a…/feeds/all.atom, all.atom.gz
    public/.generations/qinglan.3f2a…/feeds/archive   → ../../../.kept/qinglan/feeds/archive
    public/.kept/qinglan/feeds/archive/all-2026-10.atom

An edition is complete before the link points to it, so a reader sees the old files or the new ones, never a part. A
file that did not change is the same file (a hard link) in both, with the time at which its bytes last changed. What
grows with the years (archive pages, issues as books) is kept beside the editions and replaced file by file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from threading import BoundedSemaphore
from typing import NamedTuple

from syndicate.deliver import disk
from syndicate.deliver.codings import ENDINGS, WORTH, coded
from syndicate.errors import DeliveryError

TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",  # RFC 4287
    ".rss": "application/rss+xml; charset=utf-8",  # RSS Advisory Board, profile
    ".json": "application/feed+json",  # jsonfeed.org/version/1.1; JSON is UTF-8
    ".opml": "text/x-opml; charset=utf-8",  # opml.org, spec2
    ".css": "text/css; charset=utf-8",
    ".epub": "application/epub+zip",  # W3C, EPUB 3.3
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
KEPT = ("feeds/archive", "books")
"""Folders of a paper whose files outlive editions."""

NEWEST = "newest"
"""A file of each edition that says the day of the newest issue in it; not for readers."""

_SYNCS = 8  # files seen safely onto the disk at a time
_AHEAD = 100  # feeds in memory that wait for the disk
_LATE = 600  # seconds for which an edition stays; ext4 also makes files slowly beside many that are just gone
_TRIES = 3  # looks at a file that is being replaced


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published file: its bytes, a strong entity tag made from them, and when they last changed."""

    body: bytes
    etag: str  # quoted, as the header wants it; that of the bytes without their coding
    modified: datetime
    type: str
    coding: str | None = None


class File(NamedTuple):
    """A file that is to be published."""

    name: str  # feeds/all.atom
    body: Sequence[bytes]  # in pieces
    gzip: Callable[[], bytes] | None = None  # makes it, where there is a quicker way than to pack the body
    outlives: bool = False  # it stands beside the edition, see PublicFolder.keep


class Edition:
    """The next files of a paper, while they are written: seen by nobody before the edition is complete."""

    def __init__(self, old: Path, fresh: Path, writers: Executor, keep: Callable[[str, bytes], bool]) -> None:
        self._keep_beside = keep
        self._folders: set[str] = set()
        self._old = old
        self._fresh = fresh
        self._writers = writers
        self._room = BoundedSemaphore(_AHEAD)
        self._under_way: list[Future[None]] = []
        self._dropped: set[str] = set()
        self.written: list[str] = []
        """Names of files whose bytes differ from those that were published."""
        self.kept: list[str] = []
        """Names of files beside the edition that were replaced."""

    @property
    def changed(self) -> bool:
        """Whether readers would see any difference."""
        return bool(self.written or any((self._old / name).exists() for name in self._dropped))

    def put(self, name: str, body: bytes) -> None:
        """A file, and the same as gzip; both are written beside whatever the caller does next."""
        self.put_all([File(name, [body])])

    def put_all(self, files: Sequence[File]) -> None:
        """Several files, as `put` does; those that outlive it are there when the edition appears."""
        self._room.acquire()
        self._under_way.append(self._writers.submit(self._write_all, files))

    def drop(self, name: str) -> None:
        """That file is published no longer."""
        self._dropped.add(name)

    def complete(self) -> None:
        """Wait until all is written, and take over what was neither put nor dropped."""
        for one in self._under_way:
            one.result()  # or raises what went wrong
        self.written.sort()
        if not self.changed:
            return
        gone = {name + ending for name in self._dropped for ending in ("", *ENDINGS.values())}
        new = set(self.written)
        for old in disk.files_in(self._old):
            if old not in gone and _plain_name(old) not in new:
                target = f"{self._fresh}/{old}"
                self._make_folder_of(target)
                disk.link(f"{self._old}/{old}", target)

    def _make_folder_of(self, target: str) -> None:
        folder = target.rpartition("/")[0]
        if folder not in self._folders:  # else it is known to be there
            disk.make_folder_of(target)
            self._folders.add(folder)

    def _keep(self, file: File) -> None:
        if self._keep_beside(file.name, b"".join(file.body)):
            self.kept.append(file.name)

    def _write_all(self, files: Sequence[File]) -> None:
        try:
            for file in files:
                (self._keep if file.outlives else self._write)(file)
        finally:
            self._room.release()

    def _write(self, file: File) -> None:
        if disk.holds(f"{self._old}/{file.name}", file.body):
            return
        target = f"{self._fresh}/{file.name}"
        self._make_folder_of(target)
        disk.write(target, file.body)
        if sum(map(len, file.body)) >= WORTH:
            gzip = file.gzip() if file.gzip else coded(b"".join(file.body), "gzip")
            disk.write(f"{target}{ENDINGS['gzip']}", [gzip])
        self.written.append(file.name)


class PublicFolder:
    """The folder `root`, one link for each paper in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def edition(self, slug: str) -> Iterator[Edition]:
        """The paper's next edition; published at the end of the block, if anything in it is new.

        Readers see it at once; when the block is left it is safe from a loss of power, too. A machine that loses its
        power in between may come back with files in pieces: they are still behind then, and written anew.
        Raises DeliveryError when the disk refuses; then, and on any other error, the old files stay.
        """
        fresh = self._part(slug)
        before = None
        try:
            self._take_copy(slug)
            before = self._generation(slug)
            fresh.mkdir(parents=True)
            with ThreadPoolExecutor(os.cpu_count()) as writers:
                edition = Edition(self._root / slug, fresh, writers, partial(self.keep, slug, sync=False))
                yield edition
                edition.complete()
            if edition.changed or before is None:
                self._appear(slug, fresh.stem, fresh)
            self._sync(slug, edition)
        except OSError as e:
            raise DeliveryError(f"{self._root}: cannot publish {slug}: {e.strerror}", permanent=False) from e
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            self._sweep(slug, before)

    def keep(self, slug: str, name: str, body: bytes, *, packed: bool = True, sync: bool = True) -> bool:
        """Replace one file that outlives editions; False when every byte is already there.

        `packed`: as gzip, too. Codings go first and come last, so none ever stands beside another text.
        `sync`: the disk is waited for; else a machine that loses its power may come back with the file in pieces.
        Raises DeliveryError when the disk refuses.
        """
        target = f"{self._root}/.kept/{slug}/{name}"
        gzip = f"{target}{ENDINGS['gzip']}" if packed and len(body) >= WORTH else None
        try:
            if disk.holds(target, [body]) and (gzip is None or disk.stamp(gzip)):
                return False
            disk.make_folder_of(target)
            for ending in ENDINGS.values():
                disk.remove(target + ending)
            disk.replace(target, body, sync=sync)
            if gzip:
                disk.replace(gzip, coded(body, "gzip"), sync=sync)
        except OSError as e:
            raise DeliveryError(f"{target}: {e.strerror}", permanent=False) from e
        return True

    def discard(self, slug: str, name: str) -> None:
        """Remove a file that outlived editions, in every coding.

        Raises DeliveryError when the disk refuses.
        """
        target = f"{self._root}/.kept/{slug}/{name}"
        try:
            for ending in ("", *ENDINGS.values()):
                disk.remove(target + ending)
        except OSError as e:
            raise DeliveryError(f"{target}: {e.strerror}", permanent=False) from e

    def squeeze(self, slug: str, kept: Iterable[str] = ()) -> None:
        """Add the smaller codings, which take longer, to files that readers can see already and that lack them.

        `kept`: names of such files beside the edition; there are too many to look at them all each time.
        Raises DeliveryError when the disk refuses.
        """
        edition = os.path.realpath(self._root / slug)
        names = set(disk.files_in(Path(edition)))
        packed = sorted(name.removesuffix(".gz") for name in names if name.endswith(".gz"))
        lacking = [f"{edition}/{name}" for name in packed if f"{name}.zst" not in names]
        archived = (f"{self._root}/.kept/{slug}/{name}" for name in kept)
        lacking += [path for path in archived if disk.stamp(f"{path}.gz") and not disk.stamp(f"{path}.zst")]
        if lacking:
            with ThreadPoolExecutor(os.cpu_count()) as pool:  # both libraries work without Python's lock
                list(pool.map(_squeeze, lacking))

    def find(self, slug: str, name: str, accepted: Sequence[str] = ()) -> PublishedFile | None:
        """The published file of that name, e.g. ("qinglan", "feeds/all.atom"), or None.

        `accepted`: codings; in the first of them that lies there. Text, tag and coding are always of one moment.
        """
        if not _plain(slug) or not all(map(_plain, name.split("/"))):
            return None
        for _ in range(_TRIES):
            edition = os.path.realpath(self._root / slug)
            path = f"{edition}/{name}"
            before = disk.stamp(path)
            body = disk.body_of(path)
            packed = next(
                ((c, b) for c in accepted if (b := disk.body_of(path + ENDINGS[c])) is not None), None
            )
            if before == disk.stamp(path) and edition == os.path.realpath(self._root / slug):
                break  # else it was replaced meanwhile
        if body is None or before is None:
            return None
        coding, sent = packed or (None, body)
        return PublishedFile(
            body=sent,
            etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            modified=datetime.fromtimestamp(before[1] // 1_000_000_000, UTC),
            type=TYPES.get(PurePosixPath(name).suffix, "application/octet-stream"),
            coding=coding,
        )

    def _generation(self, slug: str) -> str | None:
        link = self._root / slug
        return link.readlink().name if link.is_symlink() else None

    def _part(self, slug: str) -> Path:
        """Where a generation is made; its name without the ending is that of the generation."""
        return self._root / ".generations" / f"{slug}.{secrets.token_hex(6)}.part"

    def _appear(self, slug: str, name: str, fresh: Path) -> None:
        generations = self._root / ".generations"
        for folder in KEPT:
            kept = self._root / ".kept" / slug / folder
            kept.mkdir(parents=True, exist_ok=True)
            link = fresh / folder
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(kept, link.parent), target_is_directory=True)
        fresh.rename(generations / name)
        link = self._root / f".{slug}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(Path(".generations") / name, target_is_directory=True)
        link.replace(self._root / slug)

    def _take_copy(self, slug: str) -> None:
        """Make a generation of a folder where the link should be: a copy that followed links (`cp -L`) has one."""
        copy = self._root / slug
        if copy.is_symlink() or not copy.is_dir():
            return
        fresh = self._part(slug)
        fresh.parent.mkdir(exist_ok=True)
        for folder in KEPT:
            if (copy / folder).is_dir():
                kept = self._root / ".kept" / slug / folder
                kept.parent.mkdir(parents=True, exist_ok=True)
                (copy / folder).rename(self._part(slug) if kept.exists() else kept)  # a part is swept
        copy.rename(fresh)
        self._appear(slug, fresh.stem, fresh)

    def _sync(self, slug: str, edition: Edition) -> None:
        """See an edition safely on the disk: its files, the folders that name them, the link that leads there."""
        names = [f"{slug}/{name}" for name in edition.written] + [
            f".kept/{slug}/{name}" for name in edition.kept
        ]
        files = [self._root / f"{name}{ending}" for name in names for ending in ("", ".gz")]
        with ThreadPoolExecutor(_SYNCS) as pool:  # the disk writes its journal once for several
            list(pool.map(disk.flush, (*files, *sorted({file.parent for file in files}), self._root)))

    def _sweep(self, slug: str, before: str | None) -> None:
        """Remove what was cut short, and older generations, but the last one and those of late.

        A reader may be between link and file.
        """
        kept = (self._generation(slug), before)
        late = time.time() - _LATE
        for old in (self._root / ".generations").glob(f"{slug}.*"):
            if old.suffix == ".part" or (old.name not in kept and old.stat().st_mtime < late):
                shutil.rmtree(old, ignore_errors=True)


def _plain_name(name: str) -> str:
    return next((name.removesuffix(e) for e in ENDINGS.values() if name.endswith(e)), name)


def _plain(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and not part.startswith(".") and "\\" not in part


def _squeeze(plain: str) -> None:
    """Write the smaller codings beside a file; zstd last, it tells that both are there."""
    body = disk.body_of(plain)
    if body is None:  # another edition has come
        return
    try:
        for coding in ("br", "zstd"):
            disk.replace(plain + ENDINGS[coding], coded(body, coding))
    except OSError as e:
        raise DeliveryError(f"{plain}: {e.strerror}", permanent=False) from e

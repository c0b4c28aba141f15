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
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import brotli
import zstandard

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

CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""Content codings (RFC 9110 §8.4.1) with the endings of their files, smallest first."""

_BROTLI_QUALITY = 5  # 11 takes ninety times as long for a tenth less (measured)
_ZSTD_LEVEL = 9
_WORTH = 1000  # bytes: what is smaller goes into one packet anyway
_SYNCS = 8  # files seen safely onto the disk at a time
_LOOK_AGAIN = 0.25  # seconds for which a file is served without asking the disk whether there is a newer one


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published file: its bytes, a strong entity tag made from them, and when they last changed."""

    body: bytes
    etag: str  # quoted, as the header wants it
    modified: datetime
    type: str


class Edition:
    """The next files of a paper, while they are written: seen by nobody before the edition is complete."""

    def __init__(self, old: Path, fresh: Path) -> None:
        self._old = old
        self._fresh = fresh
        self._dropped: set[str] = set()
        self.written: list[str] = []
        """Names of files whose bytes differ from those that were published."""

    @property
    def changed(self) -> bool:
        """Whether readers would see any difference."""
        return bool(self.written or any((self._old / name).exists() for name in self._dropped))

    def put(self, name: str, pieces: Iterable[bytes], gzipped: Iterable[bytes] | None = None) -> None:
        """A file, and the same compressed."""
        target = self._fresh / name
        target.parent.mkdir(parents=True, exist_ok=True)
        body = b"".join(pieces)
        old = self._old / name
        if _same(old, body):
            self._keep(name)
            return
        target.write_bytes(body)
        if gzipped is not None and len(body) >= _WORTH:
            target.with_name(f"{target.name}.gz").write_bytes(b"".join(gzipped))
        self.written.append(name)

    def drop(self, name: str) -> None:
        """That file is published no longer."""
        self._dropped.add(name)

    def complete(self) -> None:
        """Take over what was neither put nor dropped, and see everything safely on the disk."""
        gone = {name + ending for name in self._dropped for ending in ("", *CODINGS.values())}
        new = set(self.written)
        for old in _files(self._old):
            if old not in gone and _plain_name(old) not in new:
                (self._fresh / old).parent.mkdir(parents=True, exist_ok=True)
                _link(self._old / old, self._fresh / old)
        fresh = (self._fresh / f"{name}{ending}" for name in self.written for ending in ("", ".gz"))
        with ThreadPoolExecutor(_SYNCS) as pool:  # the disk writes its journal once for several
            list(pool.map(_sync, fresh))

    def _keep(self, name: str) -> None:
        for ending in ("", *CODINGS.values()):
            _link(self._old / f"{name}{ending}", self._fresh / f"{name}{ending}")


class PublicFolder:
    """The folder `root`, one link for each paper in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[tuple[str, str], tuple[float, tuple[int, int, int], PublishedFile]] = {}

    @contextmanager
    def edition(self, slug: str) -> Iterator[Edition]:
        """The paper's next edition; published at the end of the block, if anything in it is new.

        Raises DeliveryError when the disk refuses; then, and on any other error, the old files stay.
        """
        name = f"{slug}.{secrets.token_hex(6)}"
        fresh = self._root / ".generations" / f"{name}.part"
        before = self._generation(slug)
        edition = Edition(self._root / slug, fresh)
        try:
            fresh.mkdir(parents=True)
            yield edition
            if edition.changed or before is None:
                edition.complete()
                self._appear(slug, name, fresh)
        except OSError as e:
            raise DeliveryError(f"{self._root}: cannot publish {slug}: {e.strerror}", permanent=False) from e
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            self._sweep(slug, before)
            self._read.clear()

    def keep(self, slug: str, name: str, pieces: Iterable[bytes], gzipped: Iterable[bytes] | None) -> bool:
        """Replace one file that outlives editions; False when every byte is already there.

        Raises DeliveryError when the disk refuses.
        """
        target = self._root / ".kept" / slug / name
        body = b"".join(pieces)
        try:
            if _same(target, body):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            for ending in CODINGS.values():
                target.with_name(target.name + ending).unlink(missing_ok=True)
            _replace(target, body)
            if gzipped is not None and len(body) >= _WORTH:
                _replace(target.with_name(f"{target.name}.gz"), b"".join(gzipped))
        except OSError as e:
            raise DeliveryError(f"{target}: {e.strerror}", permanent=False) from e
        return True

    def squeeze(self, slug: str, kept: Iterable[str] = ()) -> None:
        """Add the smaller codings, which take longer, to files that readers can see already and that lack them.

        `kept`: names of such files beside the edition; there are too many to look at them all each time.
        Raises DeliveryError when the disk refuses.
        """
        live = [self._root / slug / name for name in _files(self._root / slug)]
        for path in (*live, *(self._root / ".kept" / slug / f"{name}.gz" for name in kept)):
            if path.suffix == ".gz" and not path.with_suffix(".zst").exists():
                plain = path.with_suffix("")
                try:
                    if not path.exists():  # too small to be packed
                        continue
                    body = plain.read_bytes()
                    _replace(
                        plain.with_name(f"{plain.name}.br"), brotli.compress(body, quality=_BROTLI_QUALITY)
                    )
                    squeezed = zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(body)
                    _replace(plain.with_name(f"{plain.name}.zst"), squeezed)
                except OSError as e:
                    raise DeliveryError(f"{plain}: {e.strerror}", permanent=False) from e
        self._read.clear()

    def find(self, slug: str, name: str) -> PublishedFile | None:
        """The published file of that name, e.g. ("qinglan", "feeds/all.atom"), or None."""
        key = (slug, name)
        known = self._read.get(key)
        now = time.monotonic()
        if known is not None and now < known[0]:
            return known[2]
        if not _plain(slug) or not all(map(_plain, name.split("/"))):
            return None
        path = self._root / slug / name
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if known is None or known[1] != mark:
                    known = (now, mark, _published(path, file.read(), stat.st_mtime))
        except OSError:
            self._read.pop(key, None)
            return None
        self._read[key] = (now + _LOOK_AGAIN, known[1], known[2])
        return known[2]

    def _generation(self, slug: str) -> str | None:
        link = self._root / slug
        return link.readlink().name if link.is_symlink() else None

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

    def _sweep(self, slug: str, before: str | None) -> None:
        """Remove older generations, but the last one: a reader may be between the link and the file."""
        kept = (self._generation(slug), before)
        for old in (self._root / ".generations").glob(f"{slug}.*"):
            if old.name not in kept:
                shutil.rmtree(old, ignore_errors=True)


def _files(folder: Path) -> Iterator[str]:
    """Every file of an edition; what its links lead to is not of it."""
    top = os.path.realpath(folder)
    for parent, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not os.path.islink(f"{parent}/{name}")]  # noqa: PTH114  # ten times faster
        under = parent[len(top) + 1 :] + "/" if parent != top else ""
        for name in names:
            if not name.startswith("."):  # a part that was never finished
                yield under + name


def _plain_name(name: str) -> str:
    return next((name.removesuffix(e) for e in CODINGS.values() if name.endswith(e)), name)


def _plain(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and not part.startswith(".") and "\\" not in part


def _same(old: Path, body: bytes) -> bool:
    try:
        return old.stat().st_size == len(body) and old.read_bytes() == body
    except OSError:  # not there yet
        return False


def _link(old: Path, new: Path) -> None:
    try:
        os.link(os.path.realpath(old), new)
    except (FileExistsError, FileNotFoundError):
        pass
    except OSError:  # a file system without hard links
        shutil.copy2(old, new)


def _replace(target: Path, body: bytes) -> None:
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(body)
    _sync(part)
    part.replace(target)


def _sync(path: Path) -> None:
    if path.exists():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _published(path: Path, body: bytes, modified: float) -> PublishedFile:
    return PublishedFile(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        modified=datetime.fromtimestamp(int(modified), UTC),
        type=TYPES.get(PurePosixPath(path).suffix, "application/octet-stream"),
    )

"""The public folder: rendered files as any web server can serve them, replaced all at once.

    public/qinglan                → .generations/qinglan.3f2a…      a symbolic link
    public/.generations/qinglan.3f2a…/feeds/all.atom

A generation is complete before the link points to it, so a reader sees the old files or the new
ones, never a part. A file that did not change is the same file (a hard link) in both, with the
time at which its bytes last changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from syndicate.errors import DeliveryError

TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",  # RFC 4287
    ".rss": "application/rss+xml; charset=utf-8",  # RSS Advisory Board, profile
    ".json": "application/feed+json",  # jsonfeed.org/version/1.1; JSON is UTF-8
    ".opml": "text/x-opml; charset=utf-8",  # opml.org, spec2
}


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published file: its bytes, a strong entity tag made from them, and when they last changed."""

    body: bytes
    etag: str  # quoted, as the header wants it
    modified: datetime
    type: str


class PublicFolder:
    """The folder `root`, one link for each paper in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[tuple[str, str], tuple[tuple[int, int, int], PublishedFile]] = {}

    def publish(self, slug: str, files: Mapping[str, bytes]) -> bool:
        """Replace all files of a paper by these; False when every byte is already there.

        Raises DeliveryError when the disk refuses; then the old files stay as they were.
        """
        name = f"{slug}.{_digest(files)[:16]}"
        if self._generation(slug) == name:
            return False
        before = self._generation(slug)
        try:
            self._write(slug, name, files)
        except OSError as e:
            raise DeliveryError(f"{self._root}: cannot publish {slug}: {e.strerror}", permanent=False) from e
        finally:
            self._sweep(slug, before)
        return True

    def find(self, slug: str, name: str) -> PublishedFile | None:
        """The published file of that name, e.g. ("qinglan", "feeds/all.atom"), or None."""
        if not _plain(slug) or not all(map(_plain, name.split("/"))):
            return None
        path = self._root / slug / name
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                known = self._read.get((slug, name))
                if known is None or known[0] != mark:
                    known = (mark, _published(path, file.read(), stat.st_mtime))
                    self._read[slug, name] = known
        except OSError:
            return None
        return known[1]

    def _generation(self, slug: str) -> str | None:
        link = self._root / slug
        return link.readlink().name if link.is_symlink() else None

    def _write(self, slug: str, name: str, files: Mapping[str, bytes]) -> None:
        generations = self._root / ".generations"
        fresh = generations / f"{name}.part"
        shutil.rmtree(fresh, ignore_errors=True)
        for file, body in files.items():
            target = fresh / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _link_unchanged(self._root / slug / file, target, body):
                _write_through(target, body)
        fresh.mkdir(parents=True, exist_ok=True)
        # A generation of that name may be left from before: an issue taken back, say.
        shutil.rmtree(generations / name, ignore_errors=True)
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


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()


def _plain(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and not part.startswith(".") and "\\" not in part


def _link_unchanged(old: Path, new: Path, body: bytes) -> bool:
    try:
        if old.stat().st_size == len(body) and old.read_bytes() == body:
            os.link(old.resolve(), new)
            return True
    except OSError:  # not there yet, or a file system without hard links: write it
        pass
    return False


def _write_through(target: Path, body: bytes) -> None:
    with target.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _published(path: Path, body: bytes, modified: float) -> PublishedFile:
    return PublishedFile(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        modified=datetime.fromtimestamp(int(modified), UTC),
        type=TYPES.get(PurePosixPath(path).suffix, "application/octet-stream"),
    )

"""Files on the disk: read and compared whole, written in pieces, replaced at once, seen safely down.

Paths are strings, because a thousand files are asked for while readers wait for an issue.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_PIECES = 1024  # that Linux writes in one call (IOV_MAX)


def files_in(folder: Path) -> Iterator[str]:
    """Every file below a folder, by its path there; what links lead to is not of it."""
    top = os.path.realpath(folder)
    for parent, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not os.path.islink(f"{parent}/{name}")]  # noqa: PTH114  # paths are strings here
        under = parent[len(top) + 1 :] + "/" if parent != top else ""
        for name in names:
            if not name.startswith("."):  # a part that was never finished
                yield under + name


def stamp(path: str) -> tuple[int, int] | None:
    """Which file stands there, and when it was written in nanoseconds."""
    try:
        found = os.stat(path)  # noqa: PTH116  # as above
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def body_of(path: str) -> bytes | None:
    """The bytes of a file; None where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:
        return None


def holds(path: str, body: Sequence[bytes]) -> bool:
    """Whether the file has just these bytes, which come in pieces."""
    try:
        size = os.path.getsize(path)  # noqa: PTH202  # as above
    except OSError:  # not there yet
        return False
    return size == sum(map(len, body)) and body_of(path) == b"".join(body)


def write(target: str, body: Sequence[bytes]) -> None:
    """Pieces as one file; without joining them: in memory that takes as long as writing them."""
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        for some in (body[n : n + _PIECES] for n in range(0, len(body), _PIECES)):
            written = os.writev(file, some)
            left = sum(map(len, some)) - written
            if left:  # the disk is full, or it takes no more at a time
                _write_all(file, b"".join(some)[-left:])
    finally:
        os.close(file)


def replace(target: str, body: bytes, *, sync: bool = True) -> None:
    """A file in place of what stands there, at once; `sync`: when it is safely on the disk."""
    folder, _, name = target.rpartition("/")
    part = f"{folder}/.{name}.part"
    write(part, [body])
    if sync:
        flush(part)
    os.replace(part, target)  # noqa: PTH105  # as above


def make_folder_of(file: str) -> None:
    """The folder that the file is to stand in."""
    os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120  # as above


def link(old: str, new: str) -> None:
    """The same file under another name, unless that is taken, or the file is gone."""
    try:
        os.link(old, new)
    except (FileExistsError, FileNotFoundError):
        pass
    except OSError:  # a file system without hard links
        shutil.copy2(old, new)


def remove(path: str) -> None:
    """Take a file away, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108  # as above


def flush(path: str | Path) -> None:
    """See a file or a folder safely on the disk, if it is there."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _write_all(file: int, body: bytes) -> None:
    while body:
        body = body[os.write(file, body) :]

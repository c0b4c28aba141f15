"""The inbox: a file dropped there is read once it has stopped growing, then archived or set aside.

inbox/qinglan-2026-11-16.txt           one issue
inbox/qinglan-2026-11-16-p1.txt …-p2   names that share publication and date: one issue
inbox/anything/p1.txt …                a folder: one issue
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from syndicate.errors import ReadError, SourceError
from syndicate.model import Quarantined

DATED = re.compile(r"^.*?(?<!\d)(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?!\d)")
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", "~")
REASON = ".reason.txt"
LONGEST = 255 - len(REASON)  # bytes of a name: file systems hold 255


@dataclass(frozen=True, slots=True)
class Drop:
    """The files of one issue as they lie in the inbox; `name` is the folder's or the names' common part."""

    name: str
    files: tuple[Path, ...]
    folder: Path | None = None


def drops(inbox: Path) -> tuple[Drop, ...]:
    """What lies in the inbox, grouped by issue, in the order of names.

    Raises SourceError when the inbox cannot be read.
    """
    try:
        return grouped(path for path in inbox.iterdir() if not _passed_over(path))
    except OSError as e:
        raise SourceError(f"{inbox}: {e.strerror}") from e


def grouped(paths: Iterable[Path]) -> tuple[Drop, ...]:
    """Files and folders grouped by issue, in the order of names: oldest first, where the names are dated."""
    found: dict[str, Drop] = {}
    for path in sorted(paths):
        if path.is_dir():
            if files := tuple(sorted(f for f in path.rglob("*") if f.is_file() and not _passed_over(f))):
                found[str(path)] = Drop(readable(path.name), files, path)
        else:
            name = _issue_name(path)
            found[name] = Drop(readable(name), (*found[name].files, path) if name in found else (path,))
    return tuple(found.values())


def settled(drop: Drop, now: datetime, quiet: timedelta) -> bool:
    """True when nobody has written to any of the drop's files for `quiet`, and nobody has one open to write."""
    try:
        return all(_quiet_since(f) + quiet <= now and not _being_written(f) for f in drop.files)
    except FileNotFoundError:
        return False


def read(drop: Drop, max_bytes: int) -> tuple[tuple[str, bytes], ...]:
    """Names (relative to the drop) and bytes of its files; of one file over `max_bytes` so much and one more.

    Raises SourceError, naming the file; ReadError when several hold more than `max_bytes` together.
    """
    read: list[tuple[str, bytes]] = []
    for path in drop.files:
        name = readable(_name_in(drop, path))
        try:
            with path.open("rb") as file:
                read.append((name, file.read(max_bytes + 1)))
        except OSError as e:
            raise SourceError(f"{name}: {e.strerror}") from e
        if len(read) > 1 and sum(len(content) for _, content in read) > max_bytes:
            raise ReadError(
                f"{drop.name}: its files are together larger than {max_bytes / 1e6:g} MB, "
                "which is the most that one issue may have"
            )
    return tuple(read)


def archive(drop: Drop, root: Path, day: date) -> None:
    """Move the drop to root/YYYY/MM/DD/, beside what the day already has."""
    _move(drop, root / f"{day:%Y/%m/%d}", lambda _: None)


def set_aside(drop: Drop, quarantine: Path, reason: str) -> None:
    """Move the drop to the quarantine; `reason`, one line, lies beside it as <name>.reason.txt."""

    def give_reason(target: Path) -> None:
        with suppress(OSError):  # a full disk: the file is safe, its reason is in the log
            target.with_name(target.name + REASON).write_text(readable(reason) + "\n", encoding="utf-8")

    _move(drop, quarantine, give_reason)


def quarantined(quarantine: Path) -> tuple[Quarantined, ...]:
    """What was set aside and why, oldest first."""
    found = []
    for path in quarantine.iterdir() if quarantine.is_dir() else ():
        if path.name.endswith(REASON) or path.name.startswith("."):
            continue
        with suppress(FileNotFoundError):
            reason = path.with_name(path.name + REASON)
            text = (
                reason.read_text(encoding="utf-8", errors="replace").strip()
                if reason.exists()
                else "no reason was kept"
            )
            since = datetime.fromtimestamp(path.stat().st_ctime, UTC)
            found.append(Quarantined(readable(path.name), readable(text), since))
    return tuple(sorted(found, key=lambda q: (q.since, q.name)))


def readable(name: str) -> str:
    """A file's name as a person can read it, on one line: what cannot be printed is escaped.

    A name may hold line ends, and bytes that are not UTF-8: in GBK, for instance.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _passed_over(path: Path) -> bool:
    return (
        path.name.startswith(".")
        or path.name.endswith((*UNFINISHED, REASON))
        or path.is_symlink()
        or not (path.is_file() or path.is_dir())  # a pipe would be waited for without end
    )


def _issue_name(path: Path) -> str:
    dated = DATED.match(path.name)
    return dated.group() if dated else path.name


def _name_in(drop: Drop, path: Path) -> str:
    return str(path.relative_to(drop.folder)) if drop.folder else path.name


def _quiet_since(path: Path) -> datetime:
    # Not st_mtime: mv and cp -p keep an old one, and one from a clock that is fast would be waited for.
    return datetime.fromtimestamp(path.stat().st_ctime, UTC)


def _being_written(path: Path) -> bool:
    """Linux refuses a read lease on a file that somebody has open for writing (fcntl(2), F_SETLEASE)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        with path.open("rb") as file:
            fcntl.fcntl(file.fileno(), fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file.fileno(), fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        raise
    except OSError:  # not our file, or a file system without leases: the quiet time has to do
        return False
    return False


def _move(drop: Drop, target: Path, announce: Callable[[Path], None]) -> None:
    """Move each file on its own, so that a move cut short is finished by the next one.

    `announce` is told where the drop will lie before it lies there.
    """
    try:
        folder = target
        if drop.folder:
            folder = target / drop.folder.name
            if len(os.fsencode(folder.name)) > LONGEST or (folder.exists() and not folder.is_dir()):
                folder = _free(folder)
            target.mkdir(parents=True, exist_ok=True)
            announce(folder)
        for path in drop.files:
            place = folder / _name_in(drop, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place = _free(place)
            if not drop.folder:
                announce(place)
            with suppress(FileNotFoundError):  # somebody else moved it
                shutil.move(path, place)
    except OSError as e:
        raise SourceError(f"{drop.name}: cannot be moved to {target}: {e.strerror}") from e
    if drop.folder:
        _remove_empty(drop.folder)


def _free(path: Path) -> Path:
    """The path, or the first like it that is not taken, with room behind its name for REASON."""
    stem, suffix = (path.stem, path.suffix) if len(path.suffix) < 8 else (path.name, "")
    if len(os.fsencode(path.name)) > LONGEST:
        stem = os.fsencode(stem)[: LONGEST - 40].decode("utf-8", "ignore")
    free = path.with_name(stem + suffix)
    count = 1
    while os.path.lexists(free):
        count += 1
        free = path.with_name(f"{stem}.{count}{suffix}")
    return free


def _remove_empty(folder: Path) -> None:
    for below, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # not empty: something came since, it is the next drop
            Path(below).rmdir()

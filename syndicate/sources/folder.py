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
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from syndicate.errors import SourceError
from syndicate.model import Quarantined

DATED = re.compile(r"^.*?(?<!\d)(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?!\d)")
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", "~")
REASON = ".reason.txt"


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
        return grouped(inbox.iterdir())
    except OSError as e:
        raise SourceError(f"{inbox}: {e.strerror}") from e


def grouped(paths: Iterable[Path]) -> tuple[Drop, ...]:
    """Files and folders grouped by issue, in the order of names: oldest first, where the names are dated."""
    found: dict[str, Drop] = {}
    for path in sorted(p for p in paths if not _passed_over(p)):
        if path.is_dir():
            if files := tuple(sorted(f for f in path.rglob("*") if f.is_file() and not _passed_over(f))):
                found[str(path)] = Drop(path.name, files, path)
        else:
            name = _issue_name(path)
            found[name] = Drop(name, (*found[name].files, path) if name in found else (path,))
    return tuple(found.values())


def settled(drop: Drop, now: datetime, quiet: timedelta) -> bool:
    """True when nobody has written to any of the drop's files for `quiet`, and nobody has one open to write."""
    try:
        return all(_quiet_since(f) + quiet <= now and not _being_written(f) for f in drop.files)
    except FileNotFoundError:
        return False


def read(drop: Drop, max_bytes: int) -> tuple[tuple[str, bytes], ...]:
    """Names (relative to the drop) and bytes of its files; of a file over `max_bytes` only so much and one more.

    Raises SourceError, naming the file.
    """
    read = []
    for path in drop.files:
        try:
            with path.open("rb") as file:
                read.append((_name_in(drop, path), file.read(max_bytes + 1)))
        except OSError as e:
            raise SourceError(f"{path.name}: {e.strerror}") from e
    return tuple(read)


def archive(drop: Drop, root: Path, day: date) -> None:
    """Move the drop to root/YYYY/MM/DD/, beside what the day already has."""
    _move(drop, root / f"{day:%Y/%m/%d}")


def set_aside(drop: Drop, quarantine: Path, reason: str) -> None:
    """Move the drop to the quarantine; `reason`, one line, lies beside it as <name>.reason.txt."""
    for target in _move(drop, quarantine):
        with suppress(OSError):  # a full disk: the file is safe, its reason is in the log
            target.with_name(target.name + REASON).write_text(reason + "\n", encoding="utf-8")


def quarantined(quarantine: Path) -> tuple[Quarantined, ...]:
    """What was set aside and why, oldest first."""
    found = []
    for path in quarantine.iterdir() if quarantine.is_dir() else ():
        if path.name.endswith(REASON) or path.name.startswith("."):
            continue
        with suppress(FileNotFoundError):
            reason = path.with_name(path.name + REASON)
            text = reason.read_text(encoding="utf-8").strip() if reason.exists() else "no reason was kept"
            found.append(Quarantined(path.name, text, datetime.fromtimestamp(path.stat().st_ctime, UTC)))
    return tuple(sorted(found, key=lambda q: (q.since, q.name)))


def _passed_over(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith(UNFINISHED) or path.is_symlink()


def _issue_name(path: Path) -> str:
    dated = DATED.match(path.name)
    return dated.group() if dated else path.name


def _name_in(drop: Drop, path: Path) -> str:
    return str(path.relative_to(drop.folder)) if drop.folder else path.name


def _quiet_since(path: Path) -> datetime:
    stat = path.stat()  # ctime too: mv and cp -p keep an old mtime
    return datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC)


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


def _move(drop: Drop, target: Path) -> Iterable[Path]:
    """Move each file on its own, so that a move cut short is finished by the next one."""
    folder = target / drop.folder.name if drop.folder else target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        moved = [_move_file(path, folder / _name_in(drop, path)) for path in drop.files]
    except OSError as e:
        raise SourceError(f"{drop.name}: cannot be moved to {target}: {e.strerror}") from e
    if drop.folder:
        _remove_empty(drop.folder)
    return [folder] if drop.folder else moved


def _move_file(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    free = target
    count = 1
    while free.exists():
        count += 1
        free = target.with_name(f"{target.stem}.{count}{target.suffix}")
    with suppress(FileNotFoundError):  # somebody else moved it
        shutil.move(path, free)
    return free


def _remove_empty(folder: Path) -> None:
    for below, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # not empty: something came since, it is the next drop
            Path(below).rmdir()

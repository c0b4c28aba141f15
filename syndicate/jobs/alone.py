"""One process of this machine at a time does a thing; a killed one leaves nothing locked."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syndicate.errors import SourceError


@contextmanager
def alone(file: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock `file`; gives False, without `wait`, when another process holds it.

    The kernel lets go of it when its holder ends, however it ends (flock(2)).
    Raises SourceError when there is no room or no right to make it.
    """
    try:
        held = file.open("ab")
    except OSError as e:
        raise SourceError(f"{file}: {e.strerror}") from e
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True

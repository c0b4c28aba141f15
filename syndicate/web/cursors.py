"""Cursors as bots keep them: how far they have come in a paper's log, as one word.

The word names its paper and ends with a check: half of one, or another paper's, is none. The check needs no secret,
for who makes a cursor up deceives only himself; so cursors stay good for ever.
"""

from __future__ import annotations

import base64
import re
import zlib

from syndicate.store.relays import Cursor

VERSION = 2  # the first had neither paper nor check, and is still read
LONGEST = 2000  # characters, before it is packed

_BODY = re.compile(rf"(?:1|{VERSION}\.[a-z0-9-]+)((?:\.[0-9]{{1,18}})+)", re.ASCII)


def written(cursor: Cursor, publication: str) -> str:
    """The cursor of a bot of that paper."""
    body = f"{VERSION}.{publication}.{_numbers(cursor)}"
    return _packed(f"{body}.{_check(body)}")


def read(text: str, publication: str) -> Cursor | None:
    """The cursor that was written so for that paper; None for anything else."""
    body = _unpacked(text)
    if body.startswith(f"{VERSION}."):
        body, _, check = body.rpartition(".")
        if check != _check(body) or not body.startswith(f"{VERSION}.{publication}."):
            return None
    found = _BODY.fullmatch(body)
    if found is None:
        return None
    seen, *numbers = map(int, found[1][1:].split("."))
    if len(numbers) % 2:
        return None
    cursor = Cursor(seen, tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    ends = [seen, *(end for end, _ in cursor.stretches)]
    sound = ends == sorted(ends) and all(then >= end for end, then in cursor.stretches)
    return cursor if sound and found[1][1:] == _numbers(cursor) else None


def _numbers(cursor: Cursor) -> str:
    return ".".join(map(str, (cursor.seen, *(number for stretch in cursor.stretches for number in stretch))))


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _packed(body: str) -> str:
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def _unpacked(text: str) -> str:
    """What was packed so; empty for anything else."""
    if len(text) > 2 * LONGEST:
        return ""
    try:
        body = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
    except ValueError:  # not ASCII, or not base 64
        return ""
    return body if len(body) <= LONGEST and _packed(body) == text else ""

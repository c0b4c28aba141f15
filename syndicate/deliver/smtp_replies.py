"""What a mail server says, a stream of bytes, as replies; a pure reader of RFC 5321 §4.2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

# RFC 5321 §4.5.3.1.5 allows 512 octets a line, and EHLO is the only reply with many lines; some say more.
LONGEST_LINE = 2048
MOST_LINES = 128

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?")
_STATUS = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")  # RFC 3463 §2


class NotAReplyError(Exception):
    """The other side does not speak SMTP."""


@dataclass(frozen=True)
class Reply:
    """One answer of a mail server."""

    code: int
    lines: tuple[str, ...]

    @property
    def good(self) -> bool:
        """What was asked for is done (2yz)."""
        return self.code < 300

    @cached_property
    def status(self) -> str | None:
        """The enhanced status code (RFC 3463), where there is one."""
        found = _STATUS.match(self.lines[-1])
        return found[1] if found else None

    def __str__(self) -> str:
        return self._plain

    @cached_property
    def _plain(self) -> str:
        return plain_line(f"{self.code} {' '.join(self.lines)}")


class Replies:
    """Bytes in, as they come; replies out, as soon as they are whole."""

    def __init__(self) -> None:
        self._came = b""
        self._lines: list[str] = []
        self._code = 0

    def feed(self, chunk: bytes) -> None:
        """The server has said this."""
        self._came += chunk

    @property
    def empty(self) -> bool:
        """Nothing lies here unread."""
        return not self._came and not self._lines

    def next(self) -> Reply | None:
        """The next whole reply, None while there is none.

        Raises NotAReplyError when what came is no reply, or longer than any is.
        """
        while True:
            line, found, rest = self._came.partition(b"\n")
            if len(line) > LONGEST_LINE:
                raise NotAReplyError("a line without end")
            if not found:
                return None
            self._came = rest
            alone, is_last = _read(line.removesuffix(b"\r"))
            if self._lines:
                alone = self._behind_others(alone)
            self._lines = [] if is_last else [*alone.lines]
            self._code = alone.code
            if is_last:
                return alone

    def _behind_others(self, line: Reply) -> Reply:
        """All of a reply so far, whose newest line this is."""
        if line.code != self._code:
            raise NotAReplyError(f"a reply of two codes, {self._code} and {line.code}")
        if len(self._lines) == MOST_LINES:
            raise NotAReplyError("a reply without end")
        return Reply(line.code, (*self._lines, *line.lines))


@lru_cache(maxsize=256)
def _read(line: bytes) -> tuple[Reply, bool]:
    """A line as a reply of its own, and whether it ends one; a server says few things, thousands of times."""
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise NotAReplyError(f"not an SMTP reply: {plain_line(line[:80].decode('utf-8', 'replace'))}")
    return Reply(int(parts[1]), ((parts[3] or b"").decode("utf-8", "replace"),)), parts[2] != b"-"


def plain_line(text: str) -> str:
    """One line that can be printed anywhere: what a server says is written into logs and pages."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)

"""A digest for thousands: written twice, then cast for each reader with only what is theirs put in.

    written with two sets of marks in place of what is a reader's own
    → where both agree is the frame, where a mark stands is a place
    → cast: the frame, and in each place the reader's own, in the base64 that it would have had

A cast is, byte for byte, what would have been written for that reader. Where that cannot be known beforehand (an
address that is not ASCII, a link with signs that HTML escapes) the letter is written for that reader alone.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from email.message import EmailMessage
from itertools import pairwise
from operator import attrgetter

from syndicate.model import Cast, Envelope

Write = Callable[[Envelope], EmailMessage]
_Text = tuple[bytes | str, ...]  # bytes as they are; the names of what stands between them

# What HTML, a link and a line of plain text all show as it is.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?#@=%+,;!*()$-]+")
_IN_HEAD = re.compile(r"[!-~]{1,300}")  # with its name on one line of RFC 5322
# All texts of an envelope but the sender's address, which stands in a header that is folded, and is alike in all.
_OWN = tuple(f.name for f in fields(Envelope) if f.type == "str" and f.name != "sender")
_own = attrgetter(*_OWN)
_alike = attrgetter(*(f.name for f in fields(Envelope) if f.name not in _OWN))

_FRAMES = 16  # at hand: lengths of links differ with the digits of a number
_LONGER = "x" * 60  # tried out with so much more: what stands in the head only may then have any length
_LINE = 76  # characters of base64 (RFC 2045 §6.8)
_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")


def mould(write: Write) -> Mould:
    """Casts what `write` writes."""
    return Mould(write)


def cast(message: EmailMessage) -> Cast:
    """One message, as it is."""
    head, body = _head_and_body(message)
    return Cast(head, (body,), _is_plain(body))


class Mould:
    """The letters of one digest to many readers."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._sheet: _Sheet | None = None
        self._frames: dict[tuple[object, ...], _Frame | None] = {}
        self._in_body: frozenset[str] = frozenset()  # names of what was seen there so far

    def cast(self, envelope: Envelope) -> Cast:
        """The letter to that reader, as `write` would have written it."""
        texts = _texts(envelope)
        frame = self._frame(envelope, texts)
        if frame is None or not self._is_plain(texts):
            return cast(self._write(envelope))
        return frame.cast({name: text.encode() for name, text in texts.items()})

    def _is_plain(self, texts: Mapping[str, str]) -> bool:
        """Whether each text stands in a letter as it is."""
        for name, text in texts.items():
            if text and not (_PLAIN if name in self._in_body else _IN_HEAD).fullmatch(text):
                return False
        return True

    def _frame(self, envelope: Envelope, texts: Mapping[str, str]) -> _Frame | None:
        """The frame for letters such as this one, made for the first of them; None when there can be none."""
        kind = self._kind(envelope, texts)
        if kind not in self._frames:
            if not self._is_plain(texts):
                return None
            if len(self._frames) == _FRAMES:
                self._frames.pop(next(iter(self._frames)))
            if self._sheet is None or not self._sheet.fits(envelope, texts):
                self._sheet = _sheet(self._write, envelope, texts)
            self._in_body |= self._sheet.in_body if self._sheet else frozenset()
            kind = self._kind(envelope, texts)
            self._frames[kind] = _frame(self._sheet, texts) if self._sheet else None
        return self._frames[kind]

    def _kind(self, envelope: Envelope, texts: Mapping[str, str]) -> tuple[object, ...]:
        """What letters of one frame have in common: all that is shared, lengths in the body, what is missing."""
        lengths = [len(text) if name in self._in_body else bool(text) for name, text in texts.items()]
        return (*_alike(envelope), *lengths)


@dataclass(frozen=True, slots=True)
class _Form:
    """A text with gaps for a reader's own."""

    form: bytes  # with %b for each gap
    names: tuple[str, ...]

    def cast(self, texts: Mapping[str, bytes]) -> bytes:
        return self.form % tuple([texts[name] for name in self.names])


def _form(text: _Text) -> _Form:
    pieces = (b"%b" if isinstance(piece, str) else piece.replace(b"%", b"%%") for piece in text)
    return _Form(b"".join(pieces), tuple(piece for piece in text if isinstance(piece, str)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Some bytes of a body in base64 that are a reader's own, from one group of four characters to another."""

    text: _Form
    lines: tuple[slice, ...]  # of its characters

    def cast(self, texts: Mapping[str, bytes]) -> bytes:
        code = b2a_base64(self.text.cast(texts), newline=False)
        return b"\r\n".join([code[line] for line in self.lines])


@dataclass(frozen=True, slots=True)
class _Frame:
    """All of a letter that does not depend on its reader."""

    head: tuple[bytes | _Form, ...]
    body: tuple[bytes | _Place, ...]
    plain: bool

    def cast(self, texts: Mapping[str, bytes]) -> Cast:
        return Cast(
            tuple([field if isinstance(field, bytes) else field.cast(texts) for field in self.head]),
            tuple([piece if isinstance(piece, bytes) else piece.cast(texts) for piece in self.body]),
            self.plain,
        )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A letter with names in place of what is a reader's own."""

    head: tuple[bytes | _Text, ...]
    parts: tuple[bytes | _Text, ...]  # as they are; or what stands in base64
    alike: tuple[object, ...] = ()  # in all letters that are written so
    least: tuple[int, ...] = ()  # lengths of texts; none was there where it is 0
    room: int = 0  # so much longer a text in the body may be

    @property
    def in_body(self) -> frozenset[str]:
        """The names that stand there."""
        texts = (part for part in self.parts if isinstance(part, tuple))
        return frozenset(piece for text in texts for piece in text if isinstance(piece, str))

    def fits(self, envelope: Envelope, texts: Mapping[str, str]) -> bool:
        """Whether a letter to that reader would be written so."""
        lengths = zip(texts.items(), self.least, strict=True)
        return self.alike == _alike(envelope) and all(
            bool(text) == bool(least) and (name not in self.in_body or 0 <= len(text) - least <= self.room)
            for (name, text), least in lengths
        )


def _joined(text: _Text, texts: Mapping[str, bytes]) -> bytes:
    return b"".join([piece if isinstance(piece, bytes) else texts[piece] for piece in text])


def _texts(envelope: Envelope) -> dict[str, str]:
    """What is a reader's own."""
    return dict(zip(_OWN, _own(envelope), strict=True))


# ── cutting ──────────────────────────────────────────────────────────────────────────────


def _sheet(write: Write, envelope: Envelope, texts: Mapping[str, str]) -> _Sheet | None:
    """To which two sets of marks lead: nothing in it depends on what a reader's own is, and how long, if it may be."""
    first = _cut(write, envelope, _marks(texts, 1))
    if first is None:
        return None
    found = replace(first, alike=_alike(envelope), least=tuple(map(len, texts.values())))
    others = _marks(texts, 2)
    longer = {name: mark + _LONGER for name, mark in others.items() if mark}
    if first == _cut(write, envelope, others | longer):
        return replace(found, room=len(_LONGER))
    head_only = {name: mark for name, mark in longer.items() if name not in first.in_body}
    return found if first == _cut(write, envelope, others | head_only) else None


def _marks(texts: Mapping[str, str], steps: int) -> dict[str, str]:
    return {name: _moved(text, steps + 2 * n) for n, (name, text) in enumerate(texts.items())}


def _moved(text: str, steps: int) -> str:
    """Something else of the same shape: each letter and digit so many steps on."""
    letters = "".join(_ALPHABETS)
    others = "".join(a[steps % len(a) :] + a[: steps % len(a)] for a in _ALPHABETS)
    return text.translate(str.maketrans(letters, others))


def _cut(write: Write, envelope: Envelope, marks: Mapping[str, str]) -> _Sheet | None:
    """A letter with marks, and names where they stand; None when one stands where it cannot be exchanged."""
    message = write(replace(envelope, **marks))  # type: ignore[arg-type]  # all of them are texts
    head, rest = _head_and_body(message)
    names = {mark.encode(): name for name, mark in marks.items() if mark}
    pattern = re.compile(b"|".join(map(re.escape, sorted(names, key=len, reverse=True))) or b"(?!)")
    parts: list[bytes | _Text] = []
    for code in _codes(message):
        before, found, rest = rest.partition(code)
        plain = b64decode(code)
        if not found or _in_lines(b64encode(plain)) != code or pattern.search(before):
            return None
        parts += (before, _told(plain, pattern, names))
    if pattern.search(rest):
        return None
    told = (_told(field, pattern, names) for field in head)
    told_head = tuple(head[n] if len(text) == 1 else text for n, text in enumerate(told))
    return _Sheet(told_head, (*parts, rest))


def _frame(sheet: _Sheet, texts: Mapping[str, str]) -> _Frame:
    """What is shared by letters in whose body each text is as long as here."""
    own = {name: text.encode() for name, text in texts.items()}
    pieces: list[bytes | _Place] = []
    for part in sheet.parts:
        pieces += [part] if isinstance(part, bytes) else _places(part, own)
    fixed = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    head = tuple(field if isinstance(field, bytes) else _form(field) for field in sheet.head)
    return _Frame(head, tuple(_merged(pieces)), _is_plain(fixed))


def _places(text: _Text, own: Mapping[str, bytes]) -> Iterator[bytes | _Place]:
    """A part in base64, cut at the groups in which a reader's own begins and ends."""
    plain = _joined(text, own)
    code = _in_lines(b64encode(plain))
    done = 0  # characters, not counting line ends
    for group in _groups(_spans(text, own)):
        start, end = group[0][0] // 3 * 3, min(len(plain), -(-group[-1][1] // 3) * 3)
        first, last = start // 3 * 4, -(-end // 3) * 4
        yield code[_at(done) : _at(first)]
        ends = range(_LINE - first % _LINE, last - first, _LINE)
        final = [last - first] * (2 if last % _LINE == 0 and _at(last) <= len(code) else 1)
        lines = tuple(slice(*line) for line in pairwise((0, *ends, *final)))
        yield _Place(_form(_between(plain, start, end, group)), lines)
        done = last
    yield code[_at(done) :]


_Span = tuple[int, int, str]
"""From where to where a name's text stands."""


def _spans(text: _Text, own: Mapping[str, bytes]) -> Iterator[_Span]:
    at = 0
    for piece in text:
        length = len(piece if isinstance(piece, bytes) else own[piece])
        if isinstance(piece, str):
            yield at, at + length, piece
        at += length


def _groups(spans: Iterable[_Span]) -> list[list[_Span]]:
    """Neighbours together: those that share a group of three bytes."""
    groups: list[list[_Span]] = []
    for span in spans:
        if groups and span[0] < -(-groups[-1][-1][1] // 3) * 3:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _between(plain: bytes, start: int, end: int, spans: Iterable[_Span]) -> _Text:
    """What stands from here to there, with names where texts stand."""
    pieces: list[bytes | str] = []
    for begins, ends, name in spans:
        pieces += (plain[start:begins], name)
        start = ends
    return (*pieces, plain[start:end])


def _told(text: bytes, pattern: re.Pattern[bytes], names: Mapping[bytes, str]) -> _Text:
    """The text with names where marks stood."""
    cuts = [0, *(at for found in pattern.finditer(text) for at in found.span()), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    return tuple(names[piece] if n % 2 else piece for n, piece in enumerate(pieces))


def _merged(pieces: list[bytes | _Place]) -> Iterator[bytes | _Place]:
    """What does not change between two places, in one piece."""
    fixed = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            fixed += piece
        else:
            yield fixed
            yield piece
            fixed = b""
    yield fixed


def _at(characters: int) -> int:
    """Where so many characters of base64 end among lines: behind the line end, if a line ends there."""
    return characters + characters // _LINE * 2


def _in_lines(code: bytes) -> bytes:
    return b"\r\n".join(code[at : at + _LINE] for at in range(0, len(code), _LINE))


# ── bytes ────────────────────────────────────────────────────────────────────────────────


def _head_and_body(message: EmailMessage) -> tuple[tuple[bytes, ...], bytes]:
    """The header fields, and what follows the empty line, with CRLF throughout."""
    raw = re.sub(rb"\r\n|\r|\n", b"\r\n", message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
    head, _, body = raw.partition(b"\r\n\r\n")
    return tuple(re.findall(rb"[^\r]+\r\n(?:[ \t][^\r]*\r\n)*", head + b"\r\n")), body


def _is_plain(body: bytes) -> bool:
    """Whether it goes over the wire as it is, signed in relaxed form or not (RFC 6376 §3.4.4, RFC 5321 §4.5.2)."""
    changes = re.search(rb"(?m)[ \t]{2}|\t|[ \t]\r$|^\.", body)
    return not changes and body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n") and body != b"\r\n"


def _codes(message: EmailMessage) -> Iterator[bytes]:
    """The bodies in base64, in their order, as they stand in the message, without their last line end."""
    for part in message.walk():
        if str(part.get("Content-Transfer-Encoding", "")).lower() == "base64":
            yield str(part.get_payload()).rstrip("\n").replace("\n", "\r\n").encode()

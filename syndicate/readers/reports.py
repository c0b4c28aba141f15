"""Mail that came back → Report: who, hard or soft, in which words. Nothing in it is trusted, and nothing raises.

The standard library knows RFC 3464 (delivery status) and RFC 5965 (feedback), flufl.bounce older servers' ways to
write; which of them it is, is then read from words (returns.py). Whose letter came back, only a signed address or
a Message-ID tells: both are taken out here and held against what is known elsewhere.
"""

from __future__ import annotations

import hashlib
import html
import logging
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from typing import Any

from flufl.bounce import all_failures

from syndicate import returns
from syndicate.model import BounceKind, Report

LARGEST = (
    1_000_000  # bytes that are read: what a server says comes first, the letter that came back behind it
)
PARTS = 50
NAMED = 50  # addresses and Message-IDs that are looked at
SAID = 300  # characters
TOLD = 10_000  # characters of the words for people
ANSWERS = 50

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs each fault before it raises it
# What email and flufl.bounce raise on malformed mail (flufl.bounce: IndexError without From).
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


def read(raw: bytes) -> Report:
    """What the message says. It never raises: one that cannot be read is not understood."""
    key = hashlib.sha256(raw).hexdigest()
    raw = re.sub(rb"\A(?:>?From [^\r\n]*\r?\n|\s)+", b"", raw[:LARGEST].replace(b"\0", b""))
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    try:
        return replace(_report(_Mail(message_from_bytes(raw, policy=policy.compat32))), key=key)
    except _FAULTS:
        flat = raw.decode("utf-8", "replace")
        return Report(
            key,
            None,
            understood=False,
            said="not well-formed",
            quoted=_plus_addresses(flat),
            letters=_letters(flat),
        )


# ── what kind of message it is ───────────────────────────────────────────────────────────


def _report(mail: _Mail) -> Report:
    if feedback := mail.feedback:
        found = _feedback(mail, feedback)
    elif mail.states:
        found = _delivery_status(mail)
    else:
        found = _in_words(mail)
    failed = found.kind in (BounceKind.HARD, BounceKind.SOFT)
    everything = "\n".join((mail.head, *(text for _, text in mail.texts), mail.letter))
    return replace(
        found,
        status=found.status or ("5.0.0" if failed else None),  # RFC 3463: all that is known is that it failed
        said=" ".join(found.said.split())[:SAID],
        sent_to=mail.sent_to,
        quoted=_plus_addresses(everything),
        letters=_letters(everything),
    )


_NO_COMPLAINTS = ("not-spam", "auth-failure", "dkim", "dmarc")  # RFC 6430, RFC 6591


def _feedback(mail: _Mail, fields: Message) -> Report:
    """A feedback report, RFC 5965."""
    sort = _text(fields, "Feedback-Type").strip().lower() or "abuse"
    kind = None if sort.startswith(_NO_COMPLAINTS) else BounceKind.COMPLAINT
    about = tuple(_address(value) for value in fields.get_all("Original-Rcpt-To", []))
    said = f"{sort}: {_text(fields, 'User-Agent') or mail.sender}"
    return Report("", kind, said=said, about=tuple(filter(None, about)))


_FAILED = ("fail", "error", "bounce", "undeliver", "expire")
_NOT_FAILED = ("delay", "relay", "deliver", "expand", "transfer")


def _delivery_status(mail: _Mail) -> Report:
    """A delivery status notification, RFC 3464: the hardest of what it says."""
    failures = []
    for state in mail.states:
        action = _text(state, "Action").strip().lower()
        status = returns.STATUS.search(_text(state, "Status"))
        if action.startswith(_FAILED) or (not action.startswith(_NOT_FAILED) and status and status[1] != "2"):
            failures.append((state, status[0] if status else None))
    if not failures:
        return Report("", None, said="delayed, relayed or delivered")
    told = [_judged(mail, state, status) for state, status in failures]
    said, judgement = next((one for one in told if one[1].kind is BounceKind.HARD), told[0])
    about = (_recipient(state) for state, _ in failures)
    return Report("", judgement.kind, status=judgement.status, said=said, about=tuple(filter(None, about)))


def _judged(mail: _Mail, state: Message, status: str | None) -> tuple[str, returns.Judgement]:
    """What one failure means: by its diagnosis; where that says nothing, by the words for people."""
    diagnosis = " ".join(_text(state, "Diagnostic-Code").split())
    comment = _text(state, "Status").partition("(")[2]
    said = diagnosis.partition(";")[2].strip() or diagnosis or comment
    if returns.speaks(f"{said} {comment}"):
        return said, returns.judged(f"{said} {comment}", status=status)
    words, judgement = _hardest(mail.said, status)
    return (words if returns.speaks(words) else said or words), judgement


def _in_words(mail: _Mail) -> Report:
    """A report that only people were meant to read, an automatic answer, or anything else."""
    delayed, failed = _failures(mail.message)
    about = tuple(address.decode("ascii", "replace") for address in sorted(failed))
    if _COMPLAINT.search(f"{mail.subject}\n{mail.said}"):
        return Report("", BounceKind.COMPLAINT, said=mail.subject)
    if _DELIVERED.search(mail.said):
        return Report("", None, said="delivered")
    if not failed and (delayed or (mail.from_machine and _DELAYED.search(mail.said))):
        return Report("", None, said="delayed")
    if failed or mail.from_machine or (_RETURNED.search(mail.subject) and not mail.automatic):
        said, judgement = _hardest(mail.said)
        sure = judgement.certain or bool(failed) or bool(_RETURNED.search(mail.subject))
        kind = judgement.kind if sure else None
        return Report("", kind, understood=sure, status=judgement.status, said=said, about=about)
    return Report("", None, understood=mail.automatic, said=f"{mail.sender}: {mail.subject}")


def _failures(message: Message) -> tuple[Set[bytes], Set[bytes]]:
    """What flufl.bounce finds delayed, and failed."""
    try:
        return all_failures(message)
    except _FAULTS:
        return frozenset(), frozenset()


def _hardest(text: str, status: str | None = None) -> tuple[str, returns.Judgement]:
    """The words of a report that weigh most, and what they mean: one answer of a server, or one paragraph."""
    told = _answers(text)
    judged = [(one, returns.judged(one, status=status)) for one in told if returns.speaks(one)]
    hard = (one for one in judged if one[1].kind is BounceKind.HARD)
    certain = (one for one in judged if one[1].certain)
    whole = (told[0] if told else "", returns.judged(text, status=status))
    return next(hard, next(certain, whole))


def _answers(text: str) -> list[str]:
    """Answers of servers, each with its paragraph where it stands in one; where there is none, paragraphs."""
    found: list[str] = []
    for paragraph in re.split(r"\n[ \t\r]*\n", text):
        lines = _REPLY.sub(r"\0\1", paragraph).split("\0")
        found += [flat for line in lines if (flat := " ".join(line.split()))]
    answers = [one for one in found if returns.STATUS.search(one) or returns.CODE.search(one)]
    telling = [one for one in answers if returns.speaks(one)]
    return (telling or [*answers, *found])[:ANSWERS]


# ── the message ──────────────────────────────────────────────────────────────────────────

_MACHINE = re.compile(
    r"mailer[-_ ]?daemon|post_?master|mail ?delivery|mdaemon|mail administrator|mail system|complaints@|bounce|deliver",
    re.I,
)
_RETURNED = re.compile(
    r"undeliver|not (?:be )?deliver|deliver\w* (?:\w+ ){0,4}(?:fail|error|problem|status)|returned (?:mail|to sender|message)|mail (?:delivery )?fail"
    r"|fail\w* (?:mail|notice|delivery)|failure notice|bounce|non[- ]?deliver|退信|退回|投递失败|发送失败|未送达|无法送达|无法投递|系统退信|無法傳遞|傳送失敗|未传递",
    re.I,
)
_REPLY = re.compile(
    r"(?<!:\n)^([ \t]*(?:<<<|>>>)?[ \t]*[245]\d\d[ ]|[ \t]*(?:<<<|>>>) )", re.M
)  # a line that begins another answer
_DELIVERED = re.compile(r"notificationtype\W+(?:delivery|send|open|click)\b", re.I)
_DELAYED = re.compile(
    r"delayed|still (?:being )?(?:tr(?:y|ied)|retried)|will (?:be retried|retry|continue|keep trying)|not yet been delivered|warning message only"
    r"|do not need to resend|延迟|延遲|将继续尝试|會繼續嘗試",
    re.I,
)
_COMPLAINT = re.compile(
    r"notificationtype\W+complaint|complaint about (?:message|e-?mail) from|this is an? (?:\S+ )*abuse report",
    re.I,
)
_ANSWER = re.compile(
    r"out of (?:the )?office|auto(?:matic)?[- _]?(?:reply|response|answer)|vacation|on holiday|away from|自动回复|自動回覆|自动答复|不在办公室|休假|外出",
    re.I,
)
_LETTER = re.compile(  # here the letter begins that came back
    r"^(?:\W{0,4}(?:-{2,}|={3,}|\*{3,}|_{3,}|\|-+)? ?(?:this is a copy of|below (?:this|the next) line|the header of the original|message headers? follow"
    r"|original (?:message|mail)|included is a copy|(?:your|the|a copy of (?:the|your)) (?:original )?message (?:follows|headers?|reads|text)|unsent message|returned (?:message|mail)"
    r"|start of returned|(?:message )?text follows|below is a copy|原始?邮件|原信|原郵件|邮件原文)"
    r"|(?:return-path|received|dkim-signature|x-originating-ip|mime-version|domainkey-signature) ?:)",
    re.I | re.M,
)
_HIDDEN = ("head", "script", "style")
_BLOCKS = ("br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "td", "tr")
_SENT_TO = (
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "Apparently-To",
    "To",
    "Cc",
)


@dataclass
class _Mail:
    """A parsed message, and what is asked of it."""

    message: Message

    def __post_init__(self) -> None:
        self.texts: list[tuple[str, str]] = []  # type and text of its parts
        self.states: list[Message] = []
        self.feedback: Message | None = None
        letters: list[str] = []
        for part, returned in _parts(self.message):
            self._sort(part, letters, returned=returned)
        human = "\n".join(text for _, text in self.texts)
        cut = _LETTER.search(human)
        self.states = self.states or _written_states(human)
        self.said = (human[: cut.start()] if cut and human[: cut.start()].strip() else human)[:TOLD]
        self.letter = "\n".join(letters)
        self.head = "\n".join(f"{name}: {_decoded(value)}" for name, value in self.message.items()[:200])
        self.subject = _text(self.message, "Subject")[:SAID]
        self.sender = _text(self.message, "From")[:200]
        self.sent_to = _sent_to(self.message)
        self.from_machine = bool(
            _MACHINE.search(self.sender)
            or self.message["X-Failed-Recipients"]
            or self.message.get_content_type() == "multipart/report"
        )
        self.automatic = self._automatic()

    def _sort(self, part: Message, letters: list[str], *, returned: bool) -> None:
        sort = part.get_content_type()
        if sort in (
            "message/delivery-status",
            "message/global-delivery-status",
        ):  # of a forwarded report, too
            self.states += _states(part)
        elif returned or sort in (
            "message/rfc822",
            "message/global",
            "text/rfc822-headers",
            "message/global-headers",
        ):
            letters.append("\n".join(f"{name}: {_decoded(value)}" for name, value in part.items()[:200]))
            if not part.is_multipart():
                letters.append(_body(part))
        elif sort == "message/feedback-report":
            self.feedback = self.feedback or _fields(part)
        elif sort == "text/html":
            self.texts.append((sort, _unmarked(_body(part))))
        elif sort.startswith(("text/", "multipart/")):  # a leaf of that kind: its parts were not found
            self.texts.append((sort, _body(part)))

    def _automatic(self) -> bool:
        """An answer that nobody wrote: RFC 3834, and what was usual before it."""
        written = _text(self.message, "Auto-Submitted").strip().lower()
        return (
            (bool(written) and not written.startswith("no"))
            or any(name in self.message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
            or _text(self.message, "Precedence").strip().lower() == "auto_reply"
            or bool(_ANSWER.search(self.subject))
        )


def _parts(message: Message) -> Iterator[tuple[Message, bool]]:
    """Leaves, containers of delivery states and whole letters; whether it belongs to the letter that came back."""
    waiting = [(message, False)]
    for _ in range(PARTS):
        if not waiting:
            return
        part, returned = waiting.pop(0)
        sort = part.get_content_type()
        inner: Any = part.get_payload()
        if not isinstance(inner, list) or "delivery-status" in sort or sort == "message/feedback-report":
            yield part, returned
            continue
        if returned or sort in ("message/rfc822", "message/global"):
            yield part, True
        waiting = [(one, returned or sort.startswith("message/")) for one in inner[:PARTS]] + waiting


def _states(part: Message) -> list[Message]:
    """The fields of each recipient: blocks between empty lines, the first of which is about the message."""
    return _blocks(_inner_text(part))


def _blocks(text: str) -> list[Message]:
    blocks = [
        HeaderParser().parsestr(block.strip("\n"))
        for block in re.split(r"\n[ \t]*\n", text.replace("\r", ""))[:PARTS]
    ]
    named = ("Final-Recipient", "Original-Recipient", "Action", "Status")
    return [block for block in blocks if any(name in block for name in named)]


def _written_states(text: str) -> list[Message]:
    """Fields of RFC 3464 that stand in a text."""
    start = re.search(r"^(?:Final|Original)-Recipient[ \t]*:|^Action[ \t]*: *fail", text, re.I | re.M)
    if not start:
        return []
    begin = text.rfind("\n\n", 0, start.start())
    return _blocks(text[max(begin, 0) :])


def _fields(part: Message) -> Message:
    return HeaderParser().parsestr(_inner_text(part).strip())


def _inner_text(part: Message) -> str:
    """The text of a part that the library has taken for messages, whatever it was coded in."""
    inner: Any = part.get_payload()
    if not isinstance(inner, list):
        return _body(part)
    text = "\n\n".join(str(one.as_string()) for one in inner[:PARTS])
    if part.get("Content-Transfer-Encoding", "").lower() in ("base64", "quoted-printable"):
        bare: Message = Message()
        bare["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
        bare.set_payload(text.strip())
        return _body(bare)
    return text


def _body(part: Message) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes):
        return ""
    said = str(part.get_param("charset", "utf-8")).lower().strip("'\" ")
    for charset in ("utf-8", {"gb2312": "gb18030", "gbk": "gb18030"}.get(said, said), "gb18030"):
        try:
            return body.decode(charset)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return body.decode("utf-8", "replace")


def _unmarked(text: str) -> str:
    """The text of HTML, read in one go however it is nested."""
    first, *tags = text.split("<")
    told, hidden = [first], ""
    for tag in tags:
        name = "".join(re.findall(r"\A/?\w+", tag[:20])).lower()
        if hidden and name != f"/{hidden}":
            continue
        hidden = name if name in _HIDDEN else ""
        told += "\n" if name.strip("/") in _BLOCKS else " ", tag.partition(">")[2] if not hidden else ""
    return html.unescape("".join(told))


def _text(message: Message, name: str) -> str:
    return _decoded(message.get(name, ""))


def _decoded(value: object) -> str:
    """A header's text; one that cannot be decoded as it stands."""
    try:
        return " ".join(str(make_header(decode_header(str(value)))).split())
    except (ValueError, LookupError):
        return " ".join(str(value).split())


# ── names in it ──────────────────────────────────────────────────────────────────────────

_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]{1,128}@[A-Za-z0-9.-]{1,255}")
_PLUS = re.compile(r"\+[\w.=-]{1,64}@[A-Za-z0-9.-]{1,255}")
_LETTER_ID = re.compile(
    r"^(?:x-)?(?:original-)?(?:message-id|in-reply-to|references)[ \t]*:[ \t]*((?:\n?[ \t]*<[^<>\s]{3,250}>)+)",
    re.I | re.M,
)


def _address(text: object) -> str:
    found = _ADDRESS.search(_decoded(text))
    return found[0] if found else ""


def _recipient(state: Message) -> str:
    return next(
        (
            found
            for name in ("Original-Recipient", "Final-Recipient")
            if (found := _address(state.get(name, "")))
        ),
        "",
    )


def _sent_to(message: Message) -> tuple[str, ...]:
    headers = [_decoded(value) for name in _SENT_TO for value in message.get_all(name, [])[:NAMED]]
    headers += re.findall(
        r"\bfor\s+(<[^<>\s]+>)", " ".join(map(str, message.get_all("Received", [])[:NAMED]))
    )
    return tuple(dict.fromkeys(_ADDRESS.findall(" ".join(headers))))[:NAMED]


def _plus_addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLUS.findall(text)))[:NAMED]


def _letters(text: str) -> tuple[str, ...]:
    found = (one for ids in _LETTER_ID.findall(text) for one in re.findall(r"<[^<>\s]+>", ids))
    return tuple(dict.fromkeys(found))[:NAMED]

"""Which e-mail addresses are taken, and in which form they are kept. Values in, values out; no server is asked.

What people type by an input method for Chinese, such as reader＠example。org, is read as it is meant.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex
from disposable_email_domains import allowlist, blocklist
from email_validator import EmailNotValidError, validate_email

from syndicate.model import Fault

LONGEST = 254  # octets (RFC 5321 §4.5.3.1.3, errata 1690)

_AS_TYPED = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    ord("。"): ".",
    ord("｡"): ".",
    ord("\u3000"): " ",
}

# Of these scripts one is written alone, and Latin only beside Han (UTS 39 §5.2, Highly Restrictive; UAX 31, table 5,
# with Mongolian and Yi): a Cyrillic а among Latin letters looks like an a.
_ALONE = (
    "Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer Lao"
    " Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan Yi"
)
_BESIDE_HAN = ("Hiragana Katakana", "Bopomofo", "Hangul")


def _of(scripts: str) -> regex.Pattern[str]:
    letters = "".join(rf"\p{{{script}}}" for script in ("Common", "Inherited", *scripts.split()))
    return regex.compile(f"[{letters}]*")


_TOGETHER = tuple(_of(f"Latin Han {others}") for others in _BESIDE_HAN) + tuple(map(_of, _ALONE.split()))


def read(text: str) -> tuple[str, Fault | None]:
    """The address that was typed, as it is kept, and what is wrong with it.

    A domain in other letters is kept in its ASCII form, which every mail server takes (RFC 5891), unless the part
    before the @ needs SMTPUTF8 (RFC 6531) anyhow.
    """
    typed = text.translate(_AS_TYPED).strip()
    if len(typed.encode("utf-8", "replace")) > 2 * LONGEST:  # spares the validator a megabyte
        return typed, Fault.MALFORMED
    try:
        given = validate_email(typed, check_deliverability=False, strict=True)  # 64 characters before the @
    except EmailNotValidError:
        return typed, Fault.MALFORMED
    kept = given.ascii_email or given.normalized
    if not all(map(_of_one_hand, _labels(given.normalized))):
        return kept, Fault.MIXED
    if _disposable(given.ascii_domain):
        return kept, Fault.DISPOSABLE
    return kept, None


def shown(address: str) -> str:
    """The address as its owner writes it: xn--fsqu00a.example is 例子.example."""
    try:
        return str(validate_email(address, check_deliverability=False).normalized)
    except EmailNotValidError:
        return address


def _labels(address: str) -> Iterator[str]:
    local, _, domain = address.rpartition("@")
    yield from (unicodedata.normalize("NFKC", part) for part in (*local.split("."), *domain.split(".")))


def _of_one_hand(label: str) -> bool:
    """Whether one person would write these letters together."""
    return any(scripts.fullmatch(label) for scripts in _TOGETHER)


def _disposable(domain: str) -> bool:
    """Whether the domain, or one above it, is known to be for one mail only."""
    parts = domain.lower().split(".")
    above = {".".join(parts[n:]) for n in range(len(parts) - 1)}
    return bool(above & blocklist) and not above & allowlist

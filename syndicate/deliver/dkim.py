"""Mail is signed: RFC 6376 with RSA and SHA-256, RFC 8463 with Ed25519, one signature for each key that is there.

relaxed/relaxed: relays fold header fields anew and take blanks off the ends of lines, and such a signature holds.
It costs nothing here: our bodies are base64, which the relaxed form leaves as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from syndicate.errors import SettingsError
from syndicate.model import Cast

Key = RSAPrivateKey | Ed25519PrivateKey

# RFC 6376 §5.4.1, RFC 8058 §4 (both of the last two), and what else says whose letter it is.
SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"auto-submitted",
    b"feedback-id",
    b"list-id",
    b"list-archive",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
# Signed once more than they are there, so that nobody can add another one (RFC 6376 §8.15).
ONLY_OURS = (b"from", b"to", b"subject", b"date", b"reply-to", b"list-unsubscribe", b"list-unsubscribe-post")

RSA_BITS = 2048  # RFC 8301 §3.2; what most name servers and verifiers take
LEAST_RSA_BITS = 1024  # RFC 8301 §3.2: verifiers need take no less

# RFC 6376 §3.1: sub-domains, as RFC 5321 §4.1.2 has them. Keys that are there already may have others' names.
_SELECTOR = re.compile(
    r"(?!.{200})[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class Signatures(NamedTuple):
    """What is made of a letter with keys, in base64."""

    body: bytes  # its hash
    signatures: tuple[bytes, ...]  # of each field


class Unsigned(NamedTuple):
    """A letter that wants its signatures."""

    cast: Cast
    head: bytes  # what is hashed of it
    fields: tuple[tuple[Key, bytes], ...]  # each key with its field, up to the hash of the body

    def signatures(self) -> Signatures:
        """Made with each key; without keys there is nothing to hash."""
        if not self.fields:
            return Signatures(b"", ())
        body = b64encode(_body_hash(self.cast))
        before, after = self.head + b"dkim-signature:", body + b"; b="
        signed = [b64encode(_signature(key, before + field + after)) for key, field in self.fields]
        return Signatures(body, tuple(signed))

    def signed(self, made: Signatures) -> tuple[bytes, ...]:
        """The letter as it goes over the wire."""
        fields = [
            _folded(field, made.body, signature)
            for (_, field), signature in zip(self.fields, made.signatures, strict=True)
        ]
        body = self.cast.body if self.cast.plain else (_dotted(b"".join(self.cast.body)),)
        return (b"".join((*fields, *self.cast.fields, b"\r\n")), *body)


class Signer:
    """Signs letters in the name of a domain with each of its keys, which go by their selectors."""

    def __init__(
        self,
        keys: Mapping[str, Key] | None = None,
        domain: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._keys = dict(keys or {})
        self._domain = domain
        self._now = now
        if self._keys and not _DOMAIN.fullmatch(domain):
            raise SettingsError(f"SYNDICATE_DKIM_DOMAIN: expected a host name, got {domain!r}")

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its keys, in the order of the fields that they sign."""
        return tuple(self._keys.values())

    def signed(self, cast: Cast) -> tuple[bytes, ...]:
        """The letter as it goes over the wire, its signatures on top; without keys, just the letter."""
        unsigned = self.unsigned(cast)
        return unsigned.signed(unsigned.signatures())

    def unsigned(self, cast: Cast) -> Unsigned:
        """The letter with all that is to be signed."""
        if not self._keys:
            return Unsigned(cast, b"", ())
        names, head = _signed_head(cast.fields)
        when = f" t={int(self._now().timestamp())};" if self._now else ""
        fields = []
        for selector, key in self._keys.items():
            # As it is hashed: lower case, unfolded, one blank between words, b= empty (RFC 6376 §3.4.2, §3.7).
            kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
            said = f"v=1; a={kind}-sha256; c=relaxed/relaxed; d={self._domain}; s={selector};{when} h={names}; bh="
            fields.append((key, said.encode()))
        return Unsigned(cast, head, tuple(fields))


def open_signer(folder: str, usual: Path, domain: str, now: Callable[[], datetime]) -> Signer:
    """Signs with the keys in `folder`; where none is named, with those in the usual one if it is there.

    Raises SettingsError, naming the file.
    """
    place = Path(folder) if folder else usual
    if not folder and not place.is_dir():
        return Signer()
    return Signer(keys(place), domain, now)


def keys(folder: Path) -> dict[str, Key]:
    """The private keys in a folder, PEM, by selector: the file's name (with or without .pem).

    Raises SettingsError, naming the file.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name[0] != ".")
        return {_selector(file): _key(file, file.read_bytes()) for file in files}
    except OSError as e:
        raise SettingsError(f"{e.filename or folder}: {e.strerror}") from e


def new_key(kind: str) -> Key:
    """A new key, rsa or ed25519."""
    return Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, RSA_BITS)


def make_key(folder: Path, selector: str, kind: str) -> Key:
    """A new key of that selector, kept in the folder where only we can read it.

    Raises SettingsError when it is no selector, there is one already, or where it cannot be written.
    """
    if not _SELECTOR.fullmatch(selector):
        raise SettingsError(f"{selector!r} is no selector: letters, digits and -, in parts divided by .")
    file, key = folder / f"{selector}.pem", new_key(kind)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:  # noqa: PTH123  # Path.open has no mode bits
            written.write(pem)
    except OSError as e:
        raise SettingsError(f"{file}: {e.strerror}") from e
    return key


def dns_record(selector: str, domain: str, key: Key) -> str:
    """The TXT record under which verifiers look for the key, as a zone file has it.

    Of Ed25519 the bare key (RFC 8463 §4), of RSA its SubjectPublicKeyInfo (RFC 6376 §3.6.1).
    """
    if isinstance(key, RSAPrivateKey):
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        text = f"v=DKIM1; k=rsa; p={b64encode(key.public_key().public_bytes(*form)).decode()}"
    else:
        text = f"v=DKIM1; k=ed25519; p={b64encode(key.public_key().public_bytes_raw()).decode()}"
    # RFC 1035 §3.3: 255 bytes a string.
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{selector}._domainkey.{domain}. IN TXT ( {strings} )"


def _selector(file: Path) -> str:
    selector = file.name.removesuffix(".pem")
    if not _DOMAIN.fullmatch(selector):
        raise SettingsError(f"{file}: its name is the selector: letters, digits, - and .")
    return selector


def _key(file: Path, pem: bytes) -> Key:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as e:  # TypeError: it has a password
        raise SettingsError(f"{file}: not a private key in PEM without a password") from e
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_RSA_BITS:
        raise SettingsError(
            f"{file}: expected an Ed25519 key, or an RSA key of {LEAST_RSA_BITS} bits or more"
        )
    return key


def _signature(key: Key, text: bytes) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(text, PKCS1v15(), hashes.SHA256())
    return key.sign(hashlib.sha256(text).digest())  # RFC 8463 §3


def _folded(field: bytes, body: bytes, signature: bytes) -> bytes:
    """The header field, of lines that every relay passes on as they are."""
    return b"%b%b;\r\n\tb=%b\r\n" % (_begun_field(field), body, _in_lines(signature))


@lru_cache(maxsize=64)
def _begun_field(field: bytes) -> bytes:
    """In lines, up to the hash of the body: the same for all letters of a second."""
    return b"DKIM-Signature: " + field.replace(b"; h=", b";\r\n\th=").replace(b"; bh=", b";\r\n\tbh=")


def _in_lines(signature: bytes) -> bytes:
    return b"\r\n\t".join([signature[at : at + 72] for at in range(0, len(signature), 72)])


# ── the head ─────────────────────────────────────────────────────────────────────────────


def _signed_head(fields: tuple[bytes, ...]) -> tuple[str, bytes]:
    """The names for h=, and what is hashed of those fields."""
    relaxed = [_relaxed(field) for field in fields]
    names, order = _order(tuple([name for name, _ in relaxed]))
    return names, b"".join([relaxed[n][1] for n in order])


@lru_cache(maxsize=64)
def _order(names: tuple[bytes, ...]) -> tuple[str, tuple[int, ...]]:
    """For h= and for the hash, of fields of these names; of two of one name, the last first (RFC 6376 §5.4.2)."""
    said: list[bytes] = []
    order: list[int] = []
    for signed in SIGNED:
        found = [n for n, name in enumerate(names) if name == signed]
        said += [signed] * (len(found) + (signed in ONLY_OURS))
        order += reversed(found)
    return b":".join(said).decode(), tuple(order)


_BLANKS = re.compile(rb"[ \t\r\n]+")


@lru_cache(maxsize=256)
def _relaxed(field: bytes) -> tuple[bytes, bytes]:
    """A header field's name, and the field in relaxed form (RFC 6376 §3.4.2)."""
    name, _, value = field.partition(b":")
    name = name.strip().lower()
    value = value.strip(b" \t\r\n")
    if b"  " in value or b"\n" in value or b"\r" in value or b"\t" in value:
        value = _BLANKS.sub(b" ", value)
    return name, name + b":" + value + b"\r\n"


# ── the body ─────────────────────────────────────────────────────────────────────────────


def _body_hash(cast: Cast) -> bytes:
    """SHA-256 of the body in relaxed form (RFC 6376 §3.4.4)."""
    if not cast.plain:
        return hashlib.sha256(_relaxed_body(b"".join(cast.body))).digest()
    state = _begun(cast.body[0]).copy()
    for piece in cast.body[1:]:
        state.update(piece)
    return state.digest()


@lru_cache(maxsize=128)
def _begun(piece: bytes) -> hashlib._Hash:
    """The state of a hash that has read what all letters of a digest begin with."""
    return hashlib.sha256(piece)


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _dotted(body: bytes) -> bytes:
    """With leading dots doubled (RFC 5321 §4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", body)

"""Signatures, verified by two other implementations: dkimpy and opendkim."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import dkim as dkimpy
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from syndicate.cli import main
from syndicate.deliver import dkim
from syndicate.deliver.dkim import Key, Signer
from syndicate.errors import SettingsError
from syndicate.model import Cast, Envelope
from syndicate.render import digest, letters
from tests.conftest import optional
from tests.render import paper

DOMAIN = "news.example"
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
ENVELOPE = Envelope(
    "reader@example.org",
    "syndicate@news.example",
    "<d1.x@qinglan.example>",
    "https://news.example/qinglan/leave/" + "Ab3-_." * 30,
    paper.PRINTED,
    leave_mail="leave+Ab3.x@news.example",
)


def signer(**keys: Key) -> Signer:
    return Signer(keys, DOMAIN, lambda: datetime(2026, 11, 16, tzinfo=UTC))


def records(keys: Mapping[str, Key], domain: str = DOMAIN) -> dict[str, str]:
    """The DNS as dkim.dns_record wants it to be written."""
    said = [dkim.dns_record(selector, domain, key) for selector, key in keys.items()]
    return {one.split(". IN TXT")[0]: "".join(re.findall(r'"([^"]*)"', one)) for one in said}


def dkimpy_verifies(raw: bytes, **keys: Key) -> bool:
    found = records(keys)

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return found[name.decode().rstrip(".")].encode()

    return bool(dkimpy.verify(raw, dnsfunc=look_up))


def letter() -> Cast:
    """A real digest, cast."""
    contents = paper.digest()
    return letters.mould(lambda envelope: digest.message(contents, envelope)).cast(ENVELOPE)


# ── others verify ────────────────────────────────────────────────────────────────────────


def test_dkimpy_verifies_a_digest() -> None:
    raw = b"".join(signer(mine=RSA).signed(letter()))

    assert dkimpy_verifies(raw, mine=RSA)
    assert not dkimpy_verifies(raw.replace(b"reader@example.org", b"another@example.org"), mine=RSA)


def test_opendkim_verifies_both_signatures_of_a_digest(tmp_path: Path) -> None:
    keys: dict[str, Key] = {"mine": RSA, "new": ED25519}

    said = opendkim_says(b"".join(signer(**keys).signed(letter())), records(keys), tmp_path)

    assert re.search(r"dkim=pass .*header.a=rsa-sha256 header.s=mine", said)
    assert re.search(r"dkim=pass .*header.a=ed25519-sha256 header.s=new", said)


def opendkim_says(raw: bytes, dns: Mapping[str, str], folder: Path) -> str:
    """What opendkim finds in a mail, with those records of the DNS; it needs a folder for its files."""
    program = shutil.which("opendkim") or shutil.which("opendkim", path="/usr/sbin")
    if program is None:
        optional("opendkim is not installed (apt-get install opendkim)")
    (folder / "mail").write_bytes(raw)
    (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in dns.items()))
    (folder / "conf").write_text(f"Mode v\nSyslog no\nTestPublicKeys {folder}/keys\n")
    words = [str(program), "-x", f"{folder}/conf", "-t", f"{folder}/mail", "-vv"]
    return subprocess.run(words, capture_output=True, check=True).stdout.decode()


BLANKS = st.text(alphabet=" \t.=a您\n", max_size=40)


@given(
    body=BLANKS, subject=st.text(alphabet=" \ta您=?", max_size=30), to=st.text(alphabet="ab \t", max_size=9)
)
def test_dkimpy_verifies_whatever_blanks_and_dots_a_message_has(body: str, subject: str, to: str) -> None:
    head = ("From: a@news.example", f"Subject:{subject}", f"To: {to}", "Subject: another", "X-Other: x")
    fields = tuple(f"{field}\r\n".encode() for field in head)
    cast = Cast(fields, (body.replace("\n", "\r\n").encode() + b"\r\n",))

    raw = b"".join(signer(mine=RSA).signed(cast))

    assert dkimpy_verifies(re.sub(rb"(?m)^\.\.", b".", raw), mine=RSA)
    assert not re.search(rb"(?m)^\.(?!\.)", raw)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda raw: raw.replace(b"MIME-Version: 1.0\r\n", b"mime-version:\r\n\t 1.0  \r\n", 1), True),
        (lambda raw: raw + b"\r\n\r\n", True),
        (lambda raw: raw.replace(b"--=_alternative--", b"--=_alternative-- "), True),
        (lambda raw: b"Received: from x\r\n" + raw, True),
        (lambda raw: b"From: evil@x.example\r\n" + raw, False),
        (lambda raw: b"Subject: evil\r\n" + raw, False),
        (lambda raw: b"List-Unsubscribe: <https://evil.example>\r\n" + raw, False),
        (
            lambda raw: raw.replace(b"List-Unsubscribe: <https://news", b"List-Unsubscribe: <https://evil"),
            False,
        ),
        (lambda raw: raw.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=No"), False),
        (lambda raw: raw.replace(b"--=_alternative--", b"more\r\n--=_alternative--"), False),
    ],
)
def test_what_relays_may_change_holds_and_what_they_may_not_does_not(
    change: Callable[[bytes], bytes], holds: bool
) -> None:
    raw = b"".join(signer(mine=RSA).signed(letter()))
    changed = change(raw)

    assert changed != raw
    assert dkimpy_verifies(changed, mine=RSA) is holds


def test_both_list_headers_are_signed_on_one_line_each() -> None:
    """RFC 8058 §4."""
    raw = b"".join(signer(mine=RSA).signed(letter()))

    (names,) = re.findall(rb"\th=([^;]+);", raw)
    for name in (b"from", b"list-unsubscribe", b"list-unsubscribe-post"):
        assert names.split(b":").count(name) == 2  # once more than they are there
    assert re.search(rb"(?m)^List-Unsubscribe: <https://[^>]+>, <mailto:[^>]+>\r$", raw)


def test_the_letters_of_a_mould_have_each_their_own_signature() -> None:
    contents = paper.digest()
    mould = letters.mould(lambda envelope: digest.message(contents, envelope))
    mine = signer(mine=RSA)

    for n in range(3):
        token = f"https://news.example/qinglan/leave/{n}" + "Ab3-_." * 30
        cast = mould.cast(replace(ENVELOPE, address=f"reader{n}@example.org", leave_url=token))
        assert dkimpy_verifies(b"".join(mine.signed(cast)), mine=RSA)


def test_without_keys_a_letter_stays_as_it_is() -> None:
    message = digest.message(paper.digest(), ENVELOPE)

    assert b"".join(Signer().signed(letters.cast(message))) == message.as_bytes()


def test_a_body_of_nothing_is_signed() -> None:
    message = EmailMessage()
    message["From"] = "a@news.example"
    message.set_content("")

    assert dkimpy_verifies(b"".join(signer(mine=RSA).signed(letters.cast(message))), mine=RSA)


# ── keys ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_new_key_is_kept_where_only_we_can_read_it(tmp_path: Path, kind: str) -> None:
    made = dkim.make_key(tmp_path / "dkim", "s2026", kind)

    assert (tmp_path / "dkim" / "s2026.pem").stat().st_mode & 0o777 == 0o600
    (found,) = dkim.keys(tmp_path / "dkim").items()
    assert found[0] == "s2026"
    assert dkim.dns_record("s", "x", found[1]) == dkim.dns_record("s", "x", made)
    with pytest.raises(SettingsError, match=r"s2026\.pem: File exists"):
        dkim.make_key(tmp_path / "dkim", "s2026", kind)


@pytest.mark.parametrize(
    "selector", ["../x", "/x", "a/b", ".x", "x.", "a..b", "-x", "x-", "", "a_b", "x\n", "é"]
)
def test_a_key_s_name_is_a_selector_and_nothing_is_written_elsewhere(tmp_path: Path, selector: str) -> None:
    with pytest.raises(SettingsError, match="is no selector"):
        dkim.make_key(tmp_path / "dkim", selector, "ed25519")

    assert list(tmp_path.iterdir()) == []


def test_the_dns_record_of_rfc_8463() -> None:
    """Its appendix A.2."""
    secret = (
        b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19"
    )
    secret += b"\x70\x3b\xac\x03\x1c\xae\x7f\x60"

    said = dkim.dns_record("brisbane", "football.example.com", Ed25519PrivateKey.from_private_bytes(secret))

    text = '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
    assert said == f"brisbane._domainkey.football.example.com. IN TXT ( {text} )"


def test_long_records_are_strings_of_255_bytes() -> None:
    strings = re.findall(r'"([^"]*)"', dkim.dns_record("s", DOMAIN, RSA))

    assert [len(one) for one in strings[:-1]] == [255]


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    way = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("s1.pem", lambda: b"hello", "not a private key in PEM without a password"),
        ("s1.pem", lambda: pem(RSA, b"secret"), "not a private key in PEM without a password"),
        (
            "s1",
            lambda: pem(ec.generate_private_key(ec.SECP256R1())),
            "expected an Ed25519 key, or an RSA key",
        ),
        ("s 1.pem", lambda: pem(RSA), "its name is the selector"),
    ],
)
def test_a_key_that_cannot_sign_is_named(
    tmp_path: Path, name: str, text: Callable[[], bytes], why: str
) -> None:
    (tmp_path / name).write_bytes(text())

    with pytest.raises(SettingsError, match=why) as error:
        dkim.keys(tmp_path)

    assert str(tmp_path / name) in str(error.value)


def test_the_usual_folder_need_not_be_there_and_a_named_one_must(tmp_path: Path) -> None:
    def now() -> datetime:
        return datetime(2026, 11, 16, tzinfo=UTC)

    unsigned = dkim.open_signer("", tmp_path / "dkim", DOMAIN, now)
    assert b"DKIM" not in b"".join(unsigned.signed(letter()))

    with pytest.raises(SettingsError, match="No such file"):
        dkim.open_signer(str(tmp_path / "keys"), tmp_path / "dkim", DOMAIN, now)

    dkim.make_key(tmp_path / "dkim", "s1", "ed25519")
    (tmp_path / "dkim" / ".hidden").write_text("x")
    found = dkim.open_signer("", tmp_path / "dkim", DOMAIN, now)
    assert b"a=ed25519-sha256" in b"".join(found.signed(letter()))
    with pytest.raises(SettingsError, match="SYNDICATE_DKIM_DOMAIN"):
        dkim.open_signer("", tmp_path / "dkim", "", now)


def test_the_command_line_makes_keys_and_shows_their_records(tmp_path: Path) -> None:
    env = {"SYNDICATE_DATA": str(tmp_path), "SYNDICATE_MAIL_FROM": "Paper <paper@news.example>"}

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["dkim", *words], env=env)
        assert result.exit_code == 0, result.output
        return result.output

    assert run("show") == ""
    made = run("new", "s1") + run("new", "s2", "--kind", "ed25519")
    assert run("show") == made
    assert made.startswith("s1._domainkey.news.example. IN TXT")

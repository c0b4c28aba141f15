"""The line to the relay is made secret, or nothing is said on it."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from syndicate.deliver.mailer import SmtpMailer
from syndicate.model import Answer, Letter, Outcome
from tests.deliver.relays import EHLO, Journal, Relay, Script, handing_out, letter, relay

OFFERING = EHLO.replace(b"250 SIZE", b"250-STARTTLS\r\n250-AUTH PLAIN\r\n250 SIZE")
SECURE = Script(ehlo=OFFERING, other={"STARTTLS": b"220 go\r\n", "AUTH": b"235 ok\r\n"})


def certificate(folder: Path, name: str) -> Path:
    """A file with a key and a certificate for that name, which it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    known: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        known.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "elsewhere.example")


def serving(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def post(
    seen: Relay, scheme: str, trusted: Path | None, letters: list[Letter], connections: int = 1
) -> list[Answer]:
    context = ssl.create_default_context(cafile=trusted) if trusted else None
    mailer = SmtpMailer(f"{scheme}://paper:sesame@127.0.0.1:{seen.port}", connections, context)
    return list(mailer.post(handing_out(letters), Journal()))


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize("connections", [1, 3])
def test_letters_go_over_tls_byte_for_byte(ours: Path, scheme: str, connections: int) -> None:
    letters = [letter(n, b"Subject: x\r\n\r\n" + b"%d" % n + b"x" * 300_000 + b"\r\n") for n in range(6)]

    with relay(SECURE, serving(ours), implicit=scheme == "smtps") as seen:
        answers = post(seen, scheme, ours, letters, connections)

    assert [a.outcome for a in answers] == [Outcome.TAKEN] * 6
    assert sorted(seen.bodies) == sorted(one.pieces[0] for one in letters)
    before_tls = seen.commands[: seen.commands.index("STARTTLS")] if scheme != "smtps" else []
    assert all(command.startswith("EHLO") for command in before_tls)


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize(("trust", "why"), [("none", "certificate: self"), ("other", "certificate: ")])
def test_a_certificate_that_is_not_the_relay_s_ends_the_line(
    ours: Path, theirs: Path, scheme: str, trust: str, why: str
) -> None:
    file = ours if trust == "none" else theirs

    with relay(SECURE, serving(file), implicit=scheme == "smtps") as seen:
        (answer,) = post(seen, scheme, None if trust == "none" else theirs, [letter(1)])

    assert (answer.outcome, answer.code) == (Outcome.LATER, None)
    assert answer.stage in ("starttls", "connect")
    assert why in answer.said
    assert not [c for c in seen.commands if c.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (Script(ehlo=EHLO), "it does not offer STARTTLS"),
        (Script(ehlo=OFFERING, other={"STARTTLS": b"454 4.7.0 not now\r\n"}), "454 4.7.0 not now"),
        (
            Script(ehlo=OFFERING, other={"STARTTLS": b"220 go\r\n250 you are welcome\r\n"}),
            "more was said before TLS",
        ),
        (Script(other={"EHLO": b"502 what\r\n", "HELO": b"250 ok\r\n"}), "502 what"),
    ],
)
def test_without_tls_nothing_is_said(script: Script, why: str) -> None:
    """What is slipped in before TLS begins must not be taken for said inside it (CVE-2011-0411)."""
    with relay(script) as seen:
        (answer,) = post(seen, "smtp+starttls", None, [letter(1)])

    assert answer.outcome is Outcome.LATER
    assert why in answer.said
    assert not [c for c in seen.commands if c.startswith(("AUTH", "MAIL"))]


def test_what_was_offered_before_tls_does_not_count(ours: Path) -> None:
    """RFC 3207 §4.2."""
    script = Script(ehlo=OFFERING, inside=b"250 relay\r\n", other={"STARTTLS": b"220 go\r\n"})

    with relay(script, serving(ours)) as seen:
        (answer,) = post(seen, "smtp+starttls", ours, [letter(1)])

    assert (answer.outcome, answer.stage) == (Outcome.LATER, "auth")
    assert [c.split(" ")[0] for c in seen.commands] == ["EHLO", "STARTTLS", "EHLO"]

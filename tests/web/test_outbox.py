"""Unsent mail is seen in development, on this machine, by nobody else."""

from __future__ import annotations

import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient

from syndicate.deliver.dkim import Signer
from syndicate.deliver.mailer import send_one
from syndicate.model import Letter
from syndicate.render import letters
from syndicate.services import Services
from syndicate.web import create_app


def send(services: Services, subject: str = "请确认订阅", **parts: str) -> None:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = "paper@example.org", "reader@example.org", subject
    message["Message-ID"] = f"<{subject.encode().hex()}@example.org>"
    message.set_content(parts.get("text", "https://paper.example/qinglan/confirm/x"))
    if "html" in parts:
        message.add_alternative(parts["html"], subtype="html")
    pieces = Signer().signed(letters.cast(message))
    send_one(services.mailer, Letter(1, "paper@example.org", "reader@example.org", pieces))


def first(client: FlaskClient) -> str:
    text = client.get("/outbox").text
    return text[text.index("/outbox/") :].split('"')[0]


def test_mails_are_listed_and_shown(services: Services, client: FlaskClient) -> None:
    send(services)

    assert "请确认订阅" in client.get("/outbox").text
    text = client.get(first(client)).text
    assert "reader@example.org" in text
    assert 'href="https://paper.example/qinglan/confirm/x"' in text


def test_an_empty_outbox_says_so(client: FlaskClient) -> None:
    assert "空" in client.get("/outbox").text


def test_the_html_of_a_mail_stands_in_a_frame_that_can_do_nothing(
    services: Services, client: FlaskClient
) -> None:
    send(services, html="<p onclick='x()'>您好</p><script>alert(1)</script>")
    at = first(client)

    page = client.get(at)
    framed = client.get(f"{at}/html")

    assert "<script" not in page.text
    assert 'sandbox="allow-popups"' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups; default-src 'none'")
    assert "allow-scripts" not in policy
    assert "您好" in framed.text


def test_a_mail_without_html_has_no_frame(services: Services, client: FlaskClient) -> None:
    send(services)

    assert "<iframe" not in client.get(first(client)).text
    assert client.get(f"{first(client)}/html").status_code == 404


def test_hostile_mail_stays_text(services: Services, client: FlaskClient) -> None:
    send(services, subject="<script>alert(1)</script>", text="<script>alert(2)</script> javascript:alert(3)")

    for address in ("/outbox", first(client)):
        text = client.get(address).text
        assert "<script" not in text
        assert 'href="javascript' not in text


@pytest.mark.parametrize("name", ["nix", "..", "%2e%2e%2fsecret", ".hidden"])
def test_a_mail_that_is_not_there_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/outbox/{name}").status_code == 404


@pytest.mark.parametrize(
    ("visitor", "host", "headers"),
    [
        ("192.0.2.7", "127.0.0.1", {}),
        ("127.0.0.1", "evil.example", {}),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", "127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", "127.0.0.1", {"Via": "1.1 proxy"}),
        ("", "127.0.0.1", {}),
        ("::ffff:192.0.2.7", "127.0.0.1", {}),
    ],
)
def test_visitors_from_elsewhere_see_nothing(
    client: FlaskClient, visitor: str, host: str, headers: dict[str, str]
) -> None:
    answer = client.get(
        "/outbox", headers=headers, environ_overrides={"REMOTE_ADDR": visitor, "HTTP_HOST": host}
    )

    assert answer.status_code == 404


@pytest.mark.parametrize("visitor", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_visitors_of_this_machine_see_it(client: FlaskClient, visitor: str, host: str) -> None:
    answer = client.get("/outbox", environ_overrides={"REMOTE_ADDR": visitor, "HTTP_HOST": host})

    assert answer.status_code == 200


def test_outside_development_there_is_no_outbox(services: Services) -> None:
    live = replace(services, settings=replace(services.settings, development=False))

    assert create_app(live).test_client().get("/outbox").status_code == 404

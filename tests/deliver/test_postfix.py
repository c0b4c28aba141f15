"""Another mail server than the one the tests are written with: Postfix's smtp-sink."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from syndicate.deliver.mailer import SmtpMailer
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from tests.conftest import optional
from tests.deliver.test_mailer import letter

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sink")
    for each in (folder, *folder.parents[:3]):
        each.chmod(0o777)  # smtp-sink gives up root
    return folder


@pytest.fixture
def sink(request: pytest.FixtureRequest, port: int, dumps: Path) -> Iterator[SmtpMailer]:
    if SINK is None:
        optional("smtp-sink is not installed (apt-get install postfix)")
        raise AssertionError
    faults: list[str] = getattr(request, "param", [])
    words = [SINK, "-u", "nobody", *faults, "-d", f"{dumps}/%M.", f"127.0.0.1:{port}", "10"]
    process = subprocess.Popen(words, cwd=dumps)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    mailer = SmtpMailer(f"smtp://127.0.0.1:{port}")
    yield mailer
    mailer.close()
    process.terminate()
    process.wait()


def test_postfix_s_sink_takes_what_we_send(sink: SmtpMailer, dumps: Path) -> None:
    message = letter("一行\n.一点开头\n末行")

    for _ in range(3):
        sink.send(message, "paper@qinglan.example", "reader@example.com", lambda: True)
    sink.close()

    files = [f for f in dumps.iterdir() if f.is_file()]
    assert len(files) == 3
    for file in files:
        taken = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert taken.get_content().rstrip().splitlines() == ["一行", ".一点开头", "末行"]
        assert taken["Subject"] == "青岚日报"


@pytest.mark.parametrize(
    ("sink", "permanent"),
    [
        (["-f", "ehlo,helo"], False),  # the server refuses everybody just now, not this message
        *((["-f", step], True) for step in ("mail", "rcpt", "data", ".")),
        *((["-r", step], False) for step in ("ehlo,helo", "mail", "rcpt", "data", ".")),
    ],
    indirect=["sink"],
)
def test_a_refusal_at_any_step_is_no_delivery(sink: SmtpMailer, permanent: bool) -> None:
    with pytest.raises(DeliveryError) as error:
        sink.send(letter(), "paper@qinglan.example", "reader@example.com", lambda: True)

    assert not isinstance(error.value, DoubtfulDeliveryError)
    assert error.value.permanent is permanent


@pytest.mark.parametrize(
    "sink", [["-q", step] for step in ("connect", "ehlo", "mail", "rcpt", "data")], indirect=True
)
def test_a_line_cut_before_the_message_is_no_delivery(sink: SmtpMailer) -> None:
    with pytest.raises(DeliveryError) as error:
        sink.send(letter(), "paper@qinglan.example", "reader@example.com", lambda: pytest.fail("too early"))

    assert not error.value.permanent
    assert not isinstance(error.value, DoubtfulDeliveryError)


@pytest.mark.parametrize("sink", [["-q", "."]], indirect=True)
def test_a_line_cut_at_the_message_s_end_is_a_doubt(sink: SmtpMailer) -> None:
    with pytest.raises(DoubtfulDeliveryError):
        sink.send(letter(), "paper@qinglan.example", "reader@example.com", lambda: True)


@pytest.mark.parametrize("sink", [["-q", "quit"], ["-f", "quit"]], indirect=True)
def test_a_fault_at_quit_does_not_undo_a_delivery(sink: SmtpMailer) -> None:
    handed: list[bool] = []

    def hand() -> bool:
        handed.append(True)
        return True

    sink.send(letter(), "paper@qinglan.example", "reader@example.com", hand)
    sink.close()

    assert handed == [True]

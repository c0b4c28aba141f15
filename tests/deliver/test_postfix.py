"""Another mail server than the ones the tests are written with: Postfix's smtp-sink, and the faults it can make."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from syndicate.deliver.dkim import Signer
from syndicate.deliver.mailer import SmtpMailer
from syndicate.deliver.smtp import BARREN
from syndicate.model import Letter, Outcome
from syndicate.render import letters
from tests.conftest import optional
from tests.deliver.relays import Journal, handing_out
from tests.deliver.test_mailer import message

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin")
TAKEN, LATER, REFUSED, DOUBTFUL = Outcome.TAKEN, Outcome.LATER, Outcome.REFUSED, Outcome.DOUBTFUL
COUNT = 6

# -f a 5xx reply, -r a 4xx, -Q 421 and the line is cut, -q the line is cut without a word.
FAULTS = [
    *(((kind, step), LATER) for kind in ("-f", "-r", "-Q", "-q") for step in ("connect", "ehlo,helo")),
    *((("-f", step), REFUSED) for step in ("mail", "rcpt", "data", ".")),
    *((("-r", step), LATER) for step in ("mail", "rcpt", "data", ".")),
    *(((kind, step), LATER) for kind in ("-Q", "-q") for step in ("mail", "rcpt", "data")),
    *(((kind, "."), DOUBTFUL) for kind in ("-Q", "-q")),
    *(((kind, "quit"), TAKEN) for kind in ("-f", "-r", "-Q", "-q")),
    (("-f", "ehlo"), TAKEN),  # HELO is answered
    (("-w", "1"), TAKEN),  # a second before each answer to DATA
    (("-A", "0"), REFUSED),  # 354, and 550 before the letter has come
    (("-e",), TAKEN),
    (("-p",), TAKEN),
    (("-8",), TAKEN),
]


@pytest.fixture
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sink")
    for each in (folder, *folder.parents[:3]):
        each.chmod(0o777)  # smtp-sink gives up root
    return folder


@contextmanager
def sink(dumps: Path, *faults: str) -> Iterator[str]:
    """The address of a sink that keeps each message it accepts in a file."""
    if SINK is None:
        optional("smtp-sink is not installed (apt-get install postfix)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    words = [str(SINK), *user, *faults, "-d", f"{dumps}/%M.", f"127.0.0.1:{port}", "50"]
    with subprocess.Popen(words, cwd=dumps, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"smtp://127.0.0.1:{port}"
        process.terminate()


def written(number: int, cte: str = "base64") -> Letter:
    text = message(f"第{number}行\n.一点开头\n末行", number, cte)
    pieces = Signer().signed(letters.cast(text))
    return Letter(number, f"bounces+{number}@qinglan.example", f"reader{number}@example.com", pieces)


def dumped(dumps: Path) -> Counter[int]:
    """How often each letter came whole: the sink writes it down, and then answers to its dot."""
    found = (
        message_from_bytes(f.read_bytes(), policy=policy.default) for f in dumps.iterdir() if f.is_file()
    )
    return Counter(
        int(one["Message-ID"][1]) for one in found if one["Message-ID"] and "末行" in one.get_content()
    )


@pytest.mark.parametrize("connections", [1, 3])
def test_postfix_s_sink_takes_what_we_send(dumps: Path, connections: int) -> None:
    journal, ours = Journal(), [written(n, "8bit") for n in range(COUNT)]

    with sink(dumps) as url:
        answers = list(SmtpMailer(url, connections).post(handing_out(ours), journal))

    assert [answer.outcome for answer in answers] == [TAKEN] * COUNT
    files = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in dumps.iterdir()]
    texts = sorted(one.get_content().splitlines()[:3] for one in files)
    assert texts == [[f"第{n}行", ".一点开头", "末行"] for n in range(COUNT)]


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize(("fault", "outcome"), FAULTS, ids=str)
def test_each_fault_has_its_outcome_and_nothing_is_sent_twice(
    dumps: Path, fault: tuple[str, ...], outcome: Outcome, connections: int
) -> None:
    journal, ours = Journal(), [written(n) for n in range(COUNT)]

    with sink(dumps, *fault) as url:
        answers = list(SmtpMailer(url, connections).post(handing_out(ours), journal))

    came = dumped(dumps)
    found = {answer.number: answer.outcome for answer in answers}
    # Where nothing can be sent, or five connections in a row bring no answer, it ends early.
    assert set(found.values()) - {LATER} == {outcome} - {LATER}
    assert len(found) == len(answers)
    assert all(times == 1 for times in came.values())
    assert {n for word, n in journal.lines if word == "taken"} == {n for n, o in found.items() if o is TAKEN}
    if outcome in (TAKEN, REFUSED):
        assert len(found) == COUNT
    if outcome is TAKEN:
        assert set(came) == set(found)
    if "." not in fault:
        assert set(came) == {n for n, o in found.items() if o is TAKEN}
    if outcome is DOUBTFUL:
        assert list(found.values()).count(DOUBTFUL) >= BARREN
        assert not any(found[n] is LATER for n in came)

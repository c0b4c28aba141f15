"""What the engine makes of every answer a mail server can give."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from selectors import DefaultSelector, SelectorKey
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.deliver import smtp, smtp_relay
from syndicate.deliver.mailer import SmtpMailer, send_one
from syndicate.deliver.smtp_line import ANSWER, Line, addresses
from syndicate.deliver.smtp_offers import is_address
from syndicate.deliver.smtp_replies import NotAReplyError, Replies
from syndicate.deliver.smtp_talk import LineError, Step, Talk
from syndicate.errors import SettingsError
from syndicate.model import Answer, Letter, Outcome
from tests.deliver.relays import DROP, EHLO, Journal, Relay, Script, handing_out, letter, relay

TAKEN, LATER, REFUSED, DOUBTFUL = Outcome.TAKEN, Outcome.LATER, Outcome.REFUSED, Outcome.DOUBTFUL
PLAIN_EHLO = EHLO.replace(b"250-PIPELINING\r\n", b"")


def post(
    seen: Relay, letters: list[Letter], connections: int = 1, journal: Journal | None = None, user: str = ""
) -> dict[int, Answer]:
    """Each letter's answer; there is exactly one."""
    mailer = SmtpMailer(f"smtp://{user}127.0.0.1:{seen.port}", connections)
    answers = list(mailer.post(handing_out(letters), journal or Journal()))
    found = {answer.number: answer for answer in answers}
    assert len(found) == len(answers)
    return found


def outcomes(answers: dict[int, Answer]) -> list[Outcome]:
    return [answers[number].outcome for number in sorted(answers)]


# ── the way it goes well ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ehlo", [EHLO, PLAIN_EHLO])
@pytest.mark.parametrize("connections", [1, 3])
def test_letters_arrive_byte_for_byte_over_kept_connections(ehlo: bytes, connections: int) -> None:
    letters = [
        letter(n, b"Subject: x\r\n\r\n%d\r\n..dot\r\n" % n + b"x" * 70_000 + b"\r\n") for n in range(20)
    ]

    with relay(Script(ehlo=ehlo)) as seen:
        answers = post(seen, letters, connections)

    assert outcomes(answers) == [TAKEN] * 20
    assert sorted(seen.taken) == list(range(20))
    assert sorted(seen.bodies) == sorted(one.pieces[0].replace(b"\r\n..", b"\r\n.") for one in letters)
    assert seen.connections <= connections
    assert seen.faults == []


def test_the_next_letter_begins_with_the_dot_of_the_one_before() -> None:
    """RFC 2920: one round trip a letter. The server here answers only once it has read all that came in one go."""
    with relay(Script(together=True)) as seen:
        answers = post(seen, [letter(n) for n in range(3)])

    assert outcomes(answers) == [TAKEN] * 3
    assert [c.split(" ")[0] for c in seen.commands] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]


def test_the_journal_knows_of_the_dot_before_the_server_and_of_the_250_before_another_letter_is_asked_for() -> (
    None
):
    journal = Journal()
    left = iter([letter(1), letter(2), letter(3)])

    def asking() -> Letter | None:
        journal.lines.append(("asked", 0))
        return next(left, None)

    with relay(Script(ehlo=PLAIN_EHLO)) as seen:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{seen.port}", 1)
        for answer in mailer.post(asking, journal):
            assert journal.lines.count(("taken", answer.number)) == 1
            journal.lines.append(("answered", answer.number))

    of_the_second = [line for line in journal.lines if line[1] == 2]
    assert of_the_second == [("handing", 2), ("taken", 2), ("answered", 2)]


def test_who_has_no_letter_now_is_asked_again() -> None:
    given_out: list[Letter | float | None] = [letter(1), 0.02, 0.02, letter(2), 0.0, letter(3), None]
    left = iter(given_out)

    with relay(Script()) as seen:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{seen.port}", 2)
        answers = list(mailer.post(lambda: next(left), Journal()))

    assert sorted(a.number for a in answers) == [1, 2, 3]
    assert seen.commands.count("QUIT") == seen.connections


def test_nobody_listens_when_there_is_nothing_left_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    class Selector(DefaultSelector):
        def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
            waited.append(timeout)
            return super().select(timeout)

    monkeypatch.setattr(smtp, "DefaultSelector", Selector)
    given_out: list[Letter | float | None] = [0.001, None]
    left = iter(given_out)
    with relay(Script()) as seen:
        assert list(SmtpMailer(f"smtp://127.0.0.1:{seen.port}", 2).post(lambda: next(left), Journal())) == []

    assert smtp.LOOK not in waited


def test_without_letters_nobody_is_called() -> None:
    with relay(Script()) as seen:
        assert post(seen, []) == {}

    assert seen.connections == 0


def test_a_fault_of_the_caller_closes_all_connections() -> None:
    left = iter([letter(1)])

    def asking() -> Letter:
        try:
            return next(left)
        except StopIteration as e:
            raise KeyError("ledger") from e

    with relay(Script()) as seen, pytest.raises(KeyError):
        list(SmtpMailer(f"smtp://127.0.0.1:{seen.port}", 2).post(asking, Journal()))

    assert seen.taken == []


def test_an_old_server_is_greeted_with_helo() -> None:
    script = Script(other={"EHLO": b"502 what\r\n", "HELO": b"250 relay\r\n"})

    with relay(script) as seen:
        answers = post(seen, [letter(1), letter(2)])

    assert outcomes(answers) == [TAKEN, TAKEN]
    assert seen.commands[2] == "MAIL FROM:<paper1@x.example>"


# ── refusals ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ehlo", [EHLO, PLAIN_EHLO])
@pytest.mark.parametrize(
    ("step", "reply", "outcome"),
    [
        ("mail", b"451 4.3.0 later\r\n", LATER),
        ("mail", b"550 5.1.8 no such sender\r\n", REFUSED),
        ("rcpt", b"450-4.2.0 grey\r\n450 4.2.0 listed\r\n", LATER),
        ("rcpt", b"550 5.1.1 no such user\r\n", REFUSED),
        ("data", b"452 4.3.1 full\r\n", LATER),
        ("data", b"554 5.7.1 no\r\n", REFUSED),
        ("body", b"451 4.3.2 later\r\n", LATER),
        ("body", b"554 5.7.1 spam\r\n", REFUSED),
    ],
)
def test_a_refusal_is_that_letter_s_and_no_other_s(
    ehlo: bytes, step: str, reply: bytes, outcome: Outcome
) -> None:
    with relay(Script({(step, 2): reply}, ehlo=ehlo)) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3, 4)])

    assert outcomes(answers) == [TAKEN, outcome, TAKEN, TAKEN]
    assert seen.taken == [1, 3, 4]
    assert (seen.faults, seen.connections) == ([], 1)
    assert (answers[2].code, answers[2].stage) == (int(reply[:3]), step)
    assert answers[2].status == re.findall(rb"[45]\.\d\.\d", reply)[0].decode()
    assert answers[2].said.startswith(f"127.0.0.1:{seen.port}: {reply[:3].decode()} ")


def test_a_letter_to_nobody_that_the_server_wants_all_the_same_is_a_lone_dot() -> None:
    """RFC 2920 §3.1."""
    script = Script({("rcpt", 2): b"550 no\r\n", ("data", 2): b"354 go on\r\n"})

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3)])

    assert outcomes(answers) == [TAKEN, REFUSED, TAKEN]
    assert (seen.taken, seen.faults, seen.connections) == ([1, 3], [], 1)


@pytest.mark.parametrize("code", [503, 530])
def test_what_is_wrong_with_us_is_not_held_against_the_letter(code: int) -> None:
    script = Script(
        {("mail", n): b"%d 5.7.0 Must issue a STARTTLS command first\r\n" % code for n in range(50)}
    )

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in range(50)])

    assert set(outcomes(answers)) == {LATER}
    assert seen.connections == smtp.BARREN


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("a@b", True),
        ("读者@例子.example", True),
        ("a\r\nRCPT TO:<x@y>@b", False),
        ("a@b>\r\nDATA", False),
        ("a b@c", False),
        ("a@b\x00", False),
        ("a\u2028@b", False),
        ("a\u0085@b", False),
        ("<a@b>", False),
        ("a", False),
        ("", False),
        ("a@" + "b" * 320, False),
    ],
)
def test_an_address_cannot_be_more_than_one(address: str, good: bool) -> None:
    assert is_address(address) is good


def test_an_address_that_would_be_a_command_is_never_said() -> None:
    evil = letter(1, recipient="a@b>\r\nRCPT TO:<victim@c")

    with relay(Script()) as seen:
        answers = post(seen, [evil, letter(2)])

    assert outcomes(answers) == [REFUSED, TAKEN]
    assert answers[1].stage == "rcpt"
    assert not [c for c in seen.commands if "victim" in c]


def test_a_letter_without_an_end_is_not_begun() -> None:
    with relay(Script()) as seen:
        answers = post(seen, [letter(1, b"Subject: x\r\n\r\nhello"), letter(2)])

    assert outcomes(answers) == [REFUSED, TAKEN]


def test_sizes_and_signs_that_the_server_does_not_take_are_not_sent() -> None:
    poor = b"250-relay\r\n250 SIZE 1000\r\n"
    letters = [
        letter(1, b"x" * 2000 + b"\r\n"),
        letter(2, "Subject: x\r\n\r\n八位\r\n".encode()),
        letter(3, recipient="读者3@x.example"),
        letter(4),
    ]

    with relay(Script(ehlo=poor)) as seen:
        answers = post(seen, letters)

    assert outcomes(answers) == [REFUSED, REFUSED, REFUSED, TAKEN]
    assert [answers[n].status for n in (1, 2, 3)] == ["5.3.4", "5.6.3", "5.6.3"]
    assert "MAIL FROM:<paper4@x.example> SIZE=21" in seen.commands


def test_what_needs_it_is_announced() -> None:
    letters = [letter(1, "Subject: x\r\n\r\n八位\r\n".encode()), letter(2, recipient="读者2@x.example")]

    with relay(Script()) as seen:
        answers = post(seen, letters)

    assert outcomes(answers) == [TAKEN, TAKEN]
    assert [c.split("> ")[1] for c in seen.commands if c.startswith("MAIL")] == [
        "SIZE=22 BODY=8BITMIME",
        "SIZE=21 BODY=8BITMIME SMTPUTF8",
    ]


# ── broken lines ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ehlo", [EHLO, PLAIN_EHLO])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", [DROP, b"421 4.3.2 bye\r\n", b"garbage\r\n", b"250-a\r\n350 b\r\n"])
def test_a_line_lost_before_the_dot_is_tried_once_more_if_it_had_carried_others(
    ehlo: bytes, step: str, reply: bytes
) -> None:
    def script(n: int) -> Script:
        return Script({(step, 2): reply} if n == 0 else {}, ehlo=ehlo)

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3)])

    assert outcomes(answers) == [TAKEN] * 3
    assert sorted(seen.taken) == [1, 2, 3]
    assert seen.connections == 2


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", [DROP, b"421 4.3.2 bye\r\n"])
def test_a_letter_that_breaks_every_line_is_put_off(step: str, reply: bytes) -> None:
    with relay(Script({(step, 2): reply})) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3)])

    assert outcomes(answers) == [TAKEN, LATER, TAKEN]
    assert answers[2].stage == step
    assert answers[2].code == (421 if reply else None)


@pytest.mark.parametrize("ehlo", [EHLO, PLAIN_EHLO])
@pytest.mark.parametrize("reply", [DROP, b"421 4.3.2 bye\r\n", b"?\r\n", b"354 what\r\n"])
def test_no_answer_after_the_dot_is_a_doubt_and_nothing_is_sent_twice(ehlo: bytes, reply: bytes) -> None:
    journal = Journal()

    faults = {("body", 2): reply, ("mail", 3): DROP}

    with relay(lambda n: Script(faults if n == 0 else {}, ehlo=ehlo)) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3)], journal=journal)

    assert outcomes(answers) == [TAKEN, DOUBTFUL, TAKEN]
    assert "no answer after the message" in answers[2].said
    assert answers[2].stage == "body"
    assert journal.lines.count(("handing", 2)) == 1
    assert not {("taken", 2), ("refused", 2)} & set(journal.lines)


@pytest.mark.parametrize("after", [b"", b"421 4.3.2 bye\r\n"])
def test_a_line_lost_after_the_250_takes_nothing_back(after: bytes) -> None:
    """Those that were begun behind it go another way."""
    script = Script({("mail", n): after or DROP for n in (2, 3, 4, 5)})

    with relay(lambda n: script if n == 0 else Script()) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3, 4, 5)])

    assert outcomes(answers) == [TAKEN] * 5
    assert sorted(seen.taken) == [1, 2, 3, 4, 5]


def test_a_letter_is_tried_again_once() -> None:
    """It broke a line, no fresh one can be had, and it breaks another that had carried others."""

    def script(n: int) -> Script:
        breaks = Script({("mail", 5): DROP})
        return breaks if n < 2 else Script(greeting=b"421 4.7.0 full\r\n") if n == 2 else Script()

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in range(9)], connections=2)

    assert answers[5].outcome is LATER
    assert [o for n, o in enumerate(outcomes(answers)) if n != 5] == [TAKEN] * 8


def test_a_server_that_takes_one_letter_a_line_gets_all() -> None:
    def script(n: int) -> Script:
        return Script({("mail", m): b"421 4.7.0 one is enough\r\n" for m in range(20) if m != n})

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in range(10)])

    assert outcomes(answers) == [TAKEN] * 10
    assert seen.connections == 10


@pytest.mark.parametrize("quit_reply", [DROP, b"421 bye\r\n", b"500 no\r\n", b"garbage\r\n"])
def test_a_fault_at_quit_changes_nothing(quit_reply: bytes) -> None:
    with relay(Script(other={"QUIT": quit_reply})) as seen:
        answers = post(seen, [letter(1)])

    assert outcomes(answers) == [TAKEN]


def test_a_reply_that_nobody_asked_for_ends_the_line_and_counts_for_no_letter() -> None:
    """One reply too many, and each later one would be taken for that to the command before."""
    script = Script({("rcpt", 2): b"250 ok\r\n250 ok\r\n"})

    with relay(lambda n: script if n == 0 else Script()) as seen:
        answers = post(seen, [letter(n) for n in (1, 2, 3)])

    assert outcomes(answers) == [TAKEN] * 3
    assert sorted(seen.taken) == [1, 2, 3]


def test_a_sender_refused_and_a_recipient_welcome_is_no_way_to_deliver_nothing() -> None:
    answers: list[Answer] = []
    talk = Talk(smtp_relay.relay("smtp://relay.example"), "x", Journal(), answers.append, lambda *_: None)
    talk.received(b"220 relay\r\n")
    talk.received(EHLO)
    talk.offer(letter(1))
    talk.gone(len(talk.out))

    with pytest.raises(LineError, match="sender was refused"):
        talk.received(b"550 no\r\n250 yes\r\n354 go on\r\n")

    assert [answer.outcome for answer in answers] == [REFUSED]
    assert talk.out == b""


@pytest.mark.parametrize("begun", [False, True])
def test_a_letter_that_is_refused_before_all_of_it_was_said_is_not_tried_again(begun: bool) -> None:
    answers: list[Answer] = []
    talk = Talk(smtp_relay.relay("smtp://relay.example"), "x", Journal(), answers.append, lambda *_: None)
    talk.received(b"220 relay\r\n")
    talk.received(EHLO)
    talk.offer(letter(1))
    talk.received(b"250 yes\r\n250 yes\r\n354 go on\r\n")
    if begun:
        talk.say_body()

    with pytest.raises(LineError, match="unasked for: 550"):
        talk.received(b"550 5.7.1 enough\r\n")
    talk.lost(LineError(Step.BODY, "connection closed"))

    assert [(answer.number, answer.outcome, answer.code) for answer in answers] == [(1, REFUSED, 550)]


def test_what_a_server_said_last_is_heard_even_if_it_is_gone() -> None:
    """It answers and breaks the line; we notice when we write."""
    with socket.create_server(("127.0.0.1", 0)) as listening, DefaultSelector() as selector:
        found = smtp_relay.relay(f"smtp://127.0.0.1:{listening.getsockname()[1]}")
        talk = Talk(found, "x", Journal(), lambda _: None, lambda *_: None)
        line = Line(found, addresses(found), talk, None, selector)
        server, _ = listening.accept()
        for sent in (b"", b"220 relay\r\n"):
            server.sendall(sent)
            for key, events in selector.select(5):
                key.data.ready(events)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.sendall(b"421 4.3.2 shutting down\r\n")
        server.close()  # reset, not ended

        with pytest.raises(LineError, match=r"421 4\.3\.2 shutting down"):
            line.write()
        line.close()


# ── no relay ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("script", "stage", "code"),
    [
        (Script(greeting=DROP), "connect", None),
        (Script(greeting=b"554 5.3.2 go away\r\n"), "connect", 554),
        (Script(greeting=b"421 4.3.2 full\r\n"), "connect", 421),
        (Script(greeting=b"SSH-2.0-OpenSSH\r\n"), "connect", None),
        (Script(greeting=b"220-" + b"x" * 5000), "connect", None),
        (Script(ehlo=DROP), "ehlo", None),
        (Script(ehlo=b"421 4.3.2 bye\r\n"), "ehlo", 421),
        (Script(ehlo=b"451 4.3.0 later\r\n"), "ehlo", 451),
        (Script(ehlo=b"550 5.0.0 never\r\n"), "ehlo", 550),
    ],
)
def test_a_relay_that_will_not_speak_is_no_letter_s_fault(
    script: Script, stage: str, code: int | None
) -> None:
    asked: list[int] = []

    def asking() -> Letter:
        asked.append(1)
        return letter(len(asked))

    with relay(script) as seen:
        answers = list(SmtpMailer(f"smtp://127.0.0.1:{seen.port}", 2).post(asking, Journal()))

    assert {a.outcome for a in answers} == {LATER}
    assert {(a.stage, a.code) for a in answers} == {(stage, code)}
    assert len(asked) == len(answers) <= 5
    assert seen.connections <= 4


def test_no_server_at_all_is_said_and_not_hammered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    answer = send_one(SmtpMailer(f"smtp://127.0.0.1:{port}"), letter(1))

    assert (answer.outcome, answer.stage) == (LATER, "connect")
    assert answer.said == f"127.0.0.1:{port}: no connection: Connection refused"


def test_an_unknown_host_is_said() -> None:
    answer = send_one(SmtpMailer("smtp://relay.invalid"), letter(1))

    assert (answer.outcome, answer.stage) == (LATER, "connect")
    assert answer.said.startswith("relay.invalid:25: no such host")


def test_the_second_address_of_a_host_is_tried() -> None:
    """localhost is ::1 and 127.0.0.1; our server listens on the latter only."""
    with relay(Script()) as seen:
        answer = send_one(SmtpMailer(f"smtp://localhost:{seen.port}"), letter(1))

    assert answer.outcome is TAKEN


def test_connections_beyond_what_the_server_allows_are_done_without() -> None:
    def script(n: int) -> Script:
        return Script() if n == 0 else Script(greeting=b"421 4.7.0 too many connections\r\n")

    with relay(script) as seen:
        answers = post(seen, [letter(n) for n in range(30)], connections=4)

    assert outcomes(answers) == [TAKEN] * 30


def test_who_is_silent_is_left() -> None:
    """In time: see the table of smtp_line."""
    with socket.create_server(("127.0.0.1", 0)) as silent, DefaultSelector() as selector:
        found = smtp_relay.relay(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        talk = Talk(found, "x", Journal(), lambda _: None, lambda *_: None)
        line = Line(found, addresses(found), talk, None, selector)
        for key, events in selector.select(5):
            key.data.ready(events)

        line.check(monotonic())
        with pytest.raises(LineError, match="no answer in time"):
            line.check(monotonic() + ANSWER)
        line.close()


# ── passwords ────────────────────────────────────────────────────────────────────────────


def test_a_password_is_said_on_this_machine_and_told_to_nobody() -> None:
    offering = EHLO.replace(b"250 SIZE", b"250-AUTH PLAIN LOGIN\r\n250 SIZE")

    with relay(Script(ehlo=offering, other={"AUTH": b"235 ok\r\n"})) as seen:
        assert outcomes(post(seen, [letter(1)], user="paper:open%20sesame@")) == [TAKEN]
    assert "AUTH PLAIN AHBhcGVyAG9wZW4gc2VzYW1l" in seen.commands

    refusing = b"535 5.7.8 wrong: AHBhcGVyAG9wZW4gc2VzYW1l is 'open sesame'\r\n"
    with relay(Script(ehlo=offering, other={"AUTH": refusing})) as seen:
        answers = post(seen, [letter(1)], user="paper:open%20sesame@")
    assert (answers[1].outcome, answers[1].stage, answers[1].code) == (LATER, "auth", 535)
    assert "535 5.7.8 wrong: … is '…'" in answers[1].said


def test_login_where_plain_is_not_offered() -> None:
    offering = EHLO.replace(b"250 SIZE", b"250-AUTH LOGIN\r\n250 SIZE")
    words = {"AUTH": b"334 VXNlcm5hbWU6\r\n", "CGFWZXI=": b"334 UGFzc3dvcmQ6\r\n", "C2VZYW1L": b"235 ok\r\n"}

    with relay(Script(ehlo=offering, other=words)) as seen:
        answers = post(seen, [letter(1)], user="paper:sesame@")

    assert outcomes(answers) == [TAKEN]
    assert seen.commands[1:4] == ["AUTH LOGIN", "cGFwZXI=", "c2VzYW1l"]


def test_no_password_goes_out_in_the_clear() -> None:
    talk = Talk(smtp_relay.relay("smtp://paper:sesame@far.example"), "x", Journal(), print, print)

    talk.received(b"220 far\r\n")
    with pytest.raises(LineError, match="no password without TLS"):
        talk.received(b"250-far\r\n250 AUTH PLAIN\r\n")

    assert bytes(talk.out) == b"EHLO x\r\n"


def test_a_server_that_asks_for_no_password_gets_none() -> None:
    with relay(Script()) as seen:
        answers = post(seen, [letter(1)], user="paper:sesame@")

    assert (answers[1].outcome, answers[1].stage) == (LATER, "auth")


@pytest.mark.parametrize(
    "url", ["http://x", "smtp://", "localhost:25", "smtp://x:99999", "smtp://u:pw@x:port"]
)
def test_a_wrong_address_is_said_without_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="SYNDICATE_SMTP_URL") as error:
        smtp_relay.relay(url)

    assert "pw" not in str(error.value)


# ── replies ──────────────────────────────────────────────────────────────────────────────


@given(
    st.lists(
        st.tuples(st.integers(200, 599), st.lists(st.from_regex(r"[ -~]{0,20}", fullmatch=True), min_size=1))
    ),
    st.data(),
)
def test_replies_are_read_however_they_are_cut(
    said: list[tuple[int, list[str]]], data: st.DataObject
) -> None:
    stream = b"".join(
        b"".join(
            b"%d%s%s\r\n" % (code, b" " if n == len(lines) - 1 else b"-", line.encode())
            for n, line in enumerate(lines)
        )
        for code, lines in said
    )
    replies, found, at = Replies(), [], 0

    while at < len(stream):
        step = data.draw(st.integers(1, 40))
        replies.feed(stream[at : at + step])
        at += step
        while (reply := replies.next()) is not None:
            found.append((reply.code, list(reply.lines)))

    assert found == said
    assert replies.empty


@pytest.mark.parametrize(
    "stream",
    [
        b"hello\r\n",
        b"25 x\r\n",
        b"2500\r\n",
        b"150 x\r\n",
        b"250-a\r\n251 b\r\n",
        b"250 " + b"x" * 9000,
        b"250-x\r\n" * 200,
    ],
)
def test_what_is_no_reply_is_not_taken_for_one(stream: bytes) -> None:
    replies = Replies()
    replies.feed(stream)

    with pytest.raises(NotAReplyError):
        list(iter(replies.next, None))


def test_what_a_server_says_is_one_printable_line() -> None:
    script = Script(
        {("rcpt", 1): b"550-5.1.1 \x1b[31mred\r\n550 5.1.1 " + "八\u202e".encode() + b"x" * 900 + b"\r\n"}
    )

    with relay(script) as seen:
        said = post(seen, [letter(1)])[1].said

    assert said.isprintable()
    assert len(said) == 300
    assert "550 5.1.1 ?[31mred 5.1.1 八?xxx" in said


# ── the law ──────────────────────────────────────────────────────────────────────────────

MEANING = {b"2": TAKEN, b"4": LATER, b"5": REFUSED}
REPLIES = st.sampled_from(
    [b"450 4.2.1 %s %d\r\n", b"550-5.1.1 no\r\n550 5.1.1 %s %d\r\n", b"421 4.3.2 %s %d\r\n", DROP]
)
FAULTS = st.dictionaries(
    st.tuples(st.sampled_from(["mail", "rcpt", "data", "body"]), st.integers(0, 7)), REPLIES, max_size=6
)


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(
    faults=FAULTS,
    ehlo=st.sampled_from([EHLO, PLAIN_EHLO]),
    connections=st.integers(1, 3),
    together=st.booleans(),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    count=st.integers(0, 8),
)
def test_every_letter_gets_one_answer_and_it_is_its_own(
    faults: dict[tuple[str, int], bytes],
    ehlo: bytes,
    connections: int,
    together: bool,
    sizes: list[int],
    count: int,
) -> None:
    replies = {(s, n): r % (s.encode(), n) if r else r for (s, n), r in faults.items()}
    journal = Journal()
    cut: Callable[[int], int] = lambda n: sizes[n % len(sizes)]  # noqa: E731  # a line says it

    with relay(Script(replies, ehlo=ehlo, cut=cut, together=together)) as seen:
        answers = post(seen, [letter(n) for n in range(count)], connections, journal)

    down = any("connect" in a.stage for a in answers.values())
    assert set(answers) == set(range(count)) or down
    assert seen.faults == []
    assert len(set(seen.taken)) == len(seen.taken)  # none came twice
    for number, answer in answers.items():
        first = next(
            (r for s in ("mail", "rcpt", "data", "body") if (r := replies.get((s, number))) is not None), None
        )
        step = next((s for s in ("mail", "rcpt", "data", "body") if (s, number) in replies), "body")
        if answer.outcome is TAKEN:
            assert first is None
            assert number in seen.taken
            assert ("taken", number) in journal.lines
            assert f"body {number}" in answer.said
            continue
        assert number not in seen.taken
        assert ("taken", number) not in journal.lines
        broken = first in (DROP, b"421 4.3.2 %s %d\r\n" % (step.encode(), number))
        if answer.outcome is DOUBTFUL:
            assert broken
            assert step == "body"
        elif answer.outcome is REFUSED or (not broken and first is not None and answer.code != 421):
            assert first is not None
            assert answer.outcome is MEANING[first[:1]]
            assert f"{step} {number}" in answer.said
            assert answer.stage == step
        else:  # its own line broke, or another's with which it was twice
            assert answer.outcome is LATER
            assert step != "body" or first is None or not broken

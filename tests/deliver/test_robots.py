"""What robots answer is read for what it means: taken, later, refused, or nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from syndicate.deliver import robots
from syndicate.deliver.outside import Outside
from syndicate.deliver.robots import Outcome, Verdict
from syndicate.model import Robot, RobotKind
from tests.subscriber import client
from tests.wechat.loopback import DINGTALK, FEISHU, SECRET, WECOM, WeChat, wechat

MESSAGES = {
    "wecom": {"msgtype": "text", "text": {"content": "青溪二桥今起试通车"}},
    "feishu": {"msg_type": "text", "content": {"text": "青溪二桥今起试通车"}},
    "dingtalk": {"msgtype": "text", "text": {"content": "青溪二桥今起试通车"}},
}
KINDS = tuple(MESSAGES)


@pytest.fixture
def group() -> Iterator[WeChat]:
    with wechat() as group:
        yield group


def robot(group: WeChat, kind: str = "wecom", *, signed: bool = False, secret: str = "") -> Robot:
    return Robot("readers", RobotKind(kind), group.robot(kind, signed=signed), secret)


def push(group: WeChat, to: Robot, *, ahead: timedelta = timedelta()) -> Outcome:
    now = datetime.fromtimestamp(group.now(), UTC) + ahead
    return robots.push(to, MESSAGES[to.kind], client(), now)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_reaches_the_group_as_it_was_written(group: WeChat, kind: str) -> None:
    outcome = push(group, robot(group, kind))

    assert outcome.verdict is Verdict.TAKEN
    assert group.shown[0].body == MESSAGES[kind]
    assert "青溪".encode() in group.requests[0][1]


@pytest.mark.parametrize("kind", ["feishu", "dingtalk"])
def test_a_signature_is_asked_for_and_given(group: WeChat, kind: str) -> None:
    assert push(group, robot(group, kind, signed=True, secret=SECRET)).verdict is Verdict.TAKEN
    assert push(group, robot(group, kind, signed=True)).verdict is Verdict.REFUSED
    assert push(group, robot(group, kind, signed=True, secret="other")).verdict is Verdict.REFUSED
    late = push(group, robot(group, kind, signed=True, secret=SECRET), ahead=timedelta(hours=2))
    assert late.verdict is Verdict.REFUSED
    assert "secret" in late.said


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_key_is_refused_with_what_to_do(group: WeChat, kind: str) -> None:
    wrong = Robot("readers", RobotKind(kind), group.robot(kind) + "x")

    outcome = push(group, wrong)

    assert outcome.verdict is Verdict.REFUSED
    assert "copy it anew" in outcome.said


@pytest.mark.parametrize(("kind", "wait"), [("wecom", 1), ("feishu", 1), ("dingtalk", 10)])
def test_too_many_messages_are_for_later(group: WeChat, kind: str, wait: int) -> None:
    group.now = lambda: 1_794_800_000.0
    limit = robots.A_MINUTE[RobotKind(kind)]

    outcomes = [push(group, robot(group, kind)) for _ in range(limit + 1)]

    assert [o.verdict for o in outcomes] == [Verdict.TAKEN] * limit + [Verdict.LATER]
    assert outcomes[-1].wait == timedelta(minutes=wait)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("drop-before", Verdict.DOUBTFUL),
        ("drop-after", Verdict.DOUBTFUL),
        ("html", Verdict.DOUBTFUL),
        ("504", Verdict.DOUBTFUL),
        ("500", Verdict.LATER),
        ("502", Verdict.LATER),
        ("429", Verdict.LATER),
        ("-1", Verdict.LATER),
        ("45009", Verdict.LATER),
        ("403", Verdict.REFUSED),
        ("40058", Verdict.REFUSED),
        ("93000", Verdict.REFUSED),
        ("77777", Verdict.REFUSED),
    ],
)
def test_what_happens_on_the_way_is_told_apart(group: WeChat, fault: str, verdict: Verdict) -> None:
    group.faults.append(fault)

    outcome = push(group, robot(group))

    assert outcome.verdict is verdict
    assert outcome.said.startswith("127.0.0.1: ")


def test_a_refusal_says_why(group: WeChat) -> None:
    group.faults.append("40058")

    assert push(group, robot(group)).said == "127.0.0.1: 40058: the message is too long or malformed"


def test_a_robot_that_nobody_runs_is_for_later() -> None:
    with wechat() as gone:
        closed = robot(gone)

    assert push(gone, closed).verdict is Verdict.LATER


def test_a_robot_of_an_inner_address_is_refused(group: WeChat) -> None:
    outcome = robots.push(robot(group), MESSAGES["wecom"], Outside("Syndicate"), datetime.now(UTC))  # noqa: TID251  # a signature of now

    assert outcome.verdict is Verdict.REFUSED
    assert "only the ports" in outcome.said


@pytest.mark.parametrize("kind", KINDS)
def test_no_key_is_ever_said(group: WeChat, kind: str) -> None:
    """The loopback repeats keys in what it answers, as hints of the real ones do."""
    signed = robot(group, kind, signed=kind != "wecom", secret="SEC-other")
    outcomes = [push(group, signed)]
    for fault in ("drop-after", "403", "40058", "html"):
        group.faults.append(fault)
        outcomes.append(push(group, signed))

    shown = repr(outcomes) + repr(signed) + signed.masked

    assert not any(key in shown for key in (WECOM, FEISHU, DINGTALK, "SEC-other"))


@pytest.mark.parametrize(
    "address",
    [
        "/cgi-bin/webhook/send?key={key}&debug=1",
        "/cgi-bin/webhook/send?debug=1&key={key}&",
        "/cgi-bin/webhook/send?key={key}#{key}",
        "/open-apis/bot/v2/hook/{key}/",
        "/open-apis/bot/v2/hook/{key}?x=12345678901234567890123456789012345678901234",
        "/robot/send?access_token=693a%2D91f6%2Daa7c%2Dhush&x",
    ],
)
@pytest.mark.parametrize("spelt", [str, unquote])
def test_a_key_is_masked_wherever_it_stands_in_the_address(address: str, spelt: Callable[[str], str]) -> None:
    key = "693a-91f6-aa7c-hush"
    hook = Robot("readers", RobotKind.WECOM, f"https://robots.example{address.format(key=key)}")

    said = robots._masked(f"no such hook: {spelt(hook.url)}; hint: [{key}]", hook)

    assert key not in said
    assert "693a" not in said
    assert key not in hook.masked
    assert len(hook.masked) == len("robots.example/…hush")


def test_a_message_is_sent_without_escapes() -> None:
    body = robots.raw({"text": "青溪\U0001f309\ud800"})

    assert body == '{"text":"青溪\U0001f309?"}'.encode()
    assert json.loads(body)

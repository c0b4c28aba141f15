"""Hard or soft, and when it is enough."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate import returns
from syndicate.model import Bounce, BounceKind
from tests.samples import NOW

HARD, SOFT, COMPLAINT = BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "said",
    [
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in local recipient table",
        "550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]",
        "550 Mailbox not found",
        "550 User not found: a@b.example",
        "553 sorry, that recipient is not in my validrcptto list: invalid recipient (#5.7.1)",
        "554 delivery error: This user doesn't have a b.example account",
        "556 5.1.10 the domain does not accept mail (nullMX)",
        "550 5.1.2 Host unknown (Name server: host not found)",
        "550 5.1.6 the reader has moved and left no forwarding address",
        "550 用户不存在",
        "550 收件人地址不存在",
        "550 無此使用者",
        "550 5.1.1",
        "relay.spam-filter.example:25: 550 mailbox not found",
        "550 no such mailbox, see https://limit.example/blocked?policy",
    ],
)
def test_an_address_that_is_gone_is_hard(said: str) -> None:
    judged = returns.judged(said)

    assert judged.kind is HARD
    assert judged.status
    assert judged.status.startswith("5.")


@pytest.mark.parametrize(
    "said",
    [
        "550 Ip frequency limited",
        "550 Connection denied",
        "550 Mail content denied",
        "550 Domain frequency limited",
        "450 4.1.1 User unknown in local recipient table",
        "451 4.7.1 Greylisted, try again later",
        "452 4.2.2 over quota",
        "552 5.2.2 mailbox full",
        "550 5.7.1 our policy refuses mail from your network",
        "550 5.7.26 this mail is unauthenticated: SPF and DKIM did not pass",
        "554 5.7.1 blocked by a block list, see https://list.example/192.0.2.10",
        "550 5.1.8 Sender address rejected: Domain not found",
        "550 too many unknown recipients",
        "550 5.2.1 The email account that you tried to reach is inactive",
        "554 Message rejected as spam; the user does not exist in your contacts",
        "421 Service not available",
        "550 邮箱已满",
        "554 疑似垃圾邮件，拒收",
        "550 发信频率超过限制",
        "550 no",
        "",
    ],
)
def test_what_is_not_the_address_s_fault_is_soft(said: str) -> None:
    assert returns.judged(said).kind is SOFT


def test_an_address_of_the_net_is_no_status() -> None:
    assert returns.judged("host mx[5.1.1.20] said: 550 go away").status == "5.0.0"


def test_the_status_that_says_most_is_kept() -> None:
    assert returns.judged("550 5.1.1 user unknown", status="5.0.0").status == "5.1.1"
    assert returns.judged("552 mailbox full", status="5.0.0").status == "5.2.2"
    assert returns.judged("mailbox full", code=452, status="4.0.0").status == "4.2.2"


@given(
    st.text(max_size=300),
    st.none() | st.sampled_from(["5.1.1", "4.2.2", "x", "9.9.9"]),
    st.none() | st.integers(0, 999),
)
def test_any_words_are_judged(said: str, status: str | None, code: int | None) -> None:
    assert returns.judged(said, status=status, code=code).kind in (HARD, SOFT)


def row(*days: int, kind: BounceKind = SOFT, first: int = 10) -> list[Bounce]:
    return [Bounce(first + n, 1, kind, None, "", NOW + day * DAY) for n, day in enumerate(days)]


def test_hard_bounces_and_complaints_end_at_once() -> None:
    assert returns.ends(HARD, row(0, kind=HARD), 0, NOW)
    assert returns.ends(COMPLAINT, row(0, kind=COMPLAINT), 0, NOW)


@given(st.lists(st.integers(0, 30), max_size=8).map(sorted))
def test_soft_bounces_end_only_when_there_are_four_over_ten_days(days: list[int]) -> None:
    now = NOW + (days[-1] if days else 0) * DAY

    ended = returns.ends(SOFT, row(*days), 0, now)

    assert ended == (len(days) >= 4 and days[-1] - days[0] >= 10)


def test_a_digest_that_arrived_begins_the_row_anew() -> None:
    bounced = row(0, 4, 8, 12, first=10)

    assert returns.ends(SOFT, bounced, 9, NOW + 12 * DAY)
    assert not returns.ends(SOFT, bounced, 11, NOW + 12 * DAY)


def test_several_reports_of_one_delivery_are_one() -> None:
    bounced = [Bounce(10, 1, SOFT, None, "", NOW + day * DAY) for day in (0, 3, 6, 12)]

    assert not returns.ends(SOFT, bounced, 0, NOW + 12 * DAY)

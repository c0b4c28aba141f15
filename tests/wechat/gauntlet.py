"""Articles through every channel to the loopback WeChat, as the jobs send them, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import requests

from syndicate.deliver import official_account, robots
from syndicate.model import Bulletin, Entry, MessageForm, OfficialAccount, PushKind, Robot, RobotKind
from syndicate.render import drafts, wechat
from syndicate.render import robots as messages
from tests.subscriber import client
from tests.wechat.generated import ISSUE, PAPER
from tests.wechat.loopback import APPID, APPSECRET, WeChat

BASE = "https://paper.example"
TOGETHER = 25  # articles of an issue
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Passed:
    """What went through, and what did not."""

    articles: int = 0
    messages: int = 0
    forwarded: int = 0  # the relay's own, by a bot
    drafts: int = 0
    cut: int = 0
    unlinked: int = 0  # messages of one article that do not lead to it
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """Everything that was not taken."""
        return sum(count for said, count in self.answers.items() if said != "taken")


def run(group: WeChat, entries: Iterator[Entry]) -> Passed:
    """Each article alone to WeCom in three forms, and as the relay tells it; issues to every robot, eight as a draft."""
    passed, clock = Passed(), [1_794_800_000.0]

    def tick() -> float:
        clock[0] += 3.01  # so that the rate is never what refuses
        return clock[0]

    group.now = tick
    account = OfficialAccount(APPID, APPSECRET, api=group.url)
    cover = official_account.add_cover(
        account, client(), official_account.token(account, client()).value, PNG, "image/png"
    )
    while some := tuple(islice(entries, TOGETHER)):
        passed.articles += len(some)
        for entry in some:
            for form in MessageForm:
                _tell(passed, group, (entry,), RobotKind.WECOM, form)
            for told in (PushKind.NEW, PushKind.CORRECTED, PushKind.WITHDRAWN):
                _forward(passed, group, entry, told)
        for kind in RobotKind:
            for form in MessageForm:
                _tell(passed, group, some, kind, form)
        for start in range(0, len(some), 8):
            _draft(passed, account, some[start : start + 8], cover)
        _draft(passed, account, some[:1], cover)
    passed.cut = len(group.cut) + len(group.filtered) + group.garbled
    return passed


def _tell(
    passed: Passed, group: WeChat, entries: Sequence[Entry], kind: RobotKind, form: MessageForm
) -> None:
    bulletin = Bulletin(PAPER, PushKind.NEW, ISSUE, tuple(entries), BASE)
    robot = Robot("readers", kind, group.robot(kind))
    message = messages.message(bulletin, kind, form)
    outcome = robots.push(robot, message, client(), datetime.fromtimestamp(group.now(), UTC))
    passed.messages += 1
    passed.answers[outcome.said if outcome.verdict != "taken" else "taken"] += 1
    if len(entries) == 1 and f"{BASE}{entries[0].path}" not in str(message):
        passed.unlinked += 1


def _forward(passed: Passed, group: WeChat, entry: Entry, kind: PushKind) -> None:
    """What the relay tells of an article, posted by a bot that changes nothing of it."""
    told = wechat.message(wechat.Told(kind, entry, ISSUE), PAPER, BASE)
    said: dict[str, dict[str, object]] = {name: {"content": told[name]} for name in ("text", "markdown")}
    if cards := told.get("news"):
        said["news"] = {"articles": cards}
    for name, content in said.items():
        answer = requests.post(
            group.robot("wecom"), data=robots.raw({"msgtype": name, name: content}), timeout=10
        ).json()
        passed.forwarded += 1
        passed.answers["taken" if answer["errcode"] == 0 else f"relay {name}: {answer['errcode']}"] += 1
        passed.unlinked += f"{BASE}{entry.path}" not in str(content)


def _draft(passed: Passed, account: OfficialAccount, entries: Sequence[Entry], cover: str) -> None:
    bulletin = Bulletin(PAPER, PushKind.DRAFT, ISSUE, tuple(entries), BASE)
    made = drafts.draft(bulletin, entries, [cover] * len(entries), account)
    key = official_account.token(account, client()).value
    passed.drafts += 1
    try:
        official_account.add_draft(account, client(), key, made)
        passed.answers["taken"] += 1
    except official_account.RefusedError as e:
        passed.answers[str(e)] += 1

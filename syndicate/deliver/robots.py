"""Group robots of 企业微信, 飞书 and 钉钉: one message over a webhook, and what was answered to it.

All three answer HTTP 200 to a message that they refuse: only the code in the body tells. A robot's
address is a secret; it stands in no text that leaves this module.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus

from syndicate.deliver.outside import Answer, Outside, host
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from syndicate.model import Robot, RobotKind

A_MINUTE = {RobotKind.WECOM: 20, RobotKind.DINGTALK: 20, RobotKind.FEISHU: 100}
"""Messages that a robot takes in a minute.

developer.work.weixin.qq.com/document/path/99110; open.dingtalk.com/document/robots/custom-robot-access;
open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

_MINUTE, _TEN = timedelta(minutes=1), timedelta(minutes=10)


class Verdict(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    LATER = "later"  # not taken, but another time it may be
    REFUSED = "refused"
    DOUBTFUL = "doubtful"  # it may have been taken


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, in words for a person, and how long to wait at least."""

    verdict: Verdict
    said: str = ""
    wait: timedelta = timedelta()


def push(robot: Robot, message: Mapping[str, Any], http: Outside, now: datetime) -> Outcome:
    """Hand a message, in the shape of that kind of robot, to it. `now` signs it. Raises nothing."""
    url, body = _signed(robot, message, now)
    try:
        answer = http.request(
            "POST", url, headers={"Content-Type": "application/json; charset=utf-8"}, body=body
        )
    except DoubtfulDeliveryError as e:
        return Outcome(Verdict.DOUBTFUL, _masked(str(e), robot))
    except DeliveryError as e:
        return Outcome(Verdict.REFUSED if e.permanent else Verdict.LATER, _masked(str(e), robot))
    outcome = _read(robot.kind, answer)
    return Outcome(outcome.verdict, f"{host(robot.url)}: {_masked(outcome.said, robot)}", outcome.wait)


def raw(message: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8 as it is: where an escape is not read it is shown, and it counts as six bytes."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _signed(robot: Robot, message: Mapping[str, Any], now: datetime) -> tuple[str, bytes]:
    if not robot.secret or robot.kind is RobotKind.WECOM:
        return robot.url, raw(message)
    if robot.kind is RobotKind.FEISHU:
        seconds = str(int(now.timestamp()))
        # Not the text but the empty message is signed: text and secret together are the key.
        signature = _base64(hmac.new(f"{seconds}\n{robot.secret}".encode(), b"", "sha256").digest())
        return robot.url, raw({"timestamp": seconds, "sign": signature, **message})
    milliseconds = str(int(now.timestamp() * 1000))
    signature = _base64(
        hmac.new(robot.secret.encode(), f"{milliseconds}\n{robot.secret}".encode(), "sha256").digest()
    )
    joint = "&" if "?" in robot.url else "?"
    return f"{robot.url}{joint}timestamp={milliseconds}&sign={quote_plus(signature)}", raw(message)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


# Why, and what a person can do about it. developer.work.weixin.qq.com/document/path/90313 (errors)
_WECOM = {
    40008: "it does not know this kind of message",
    40058: "the message is too long or malformed",
    44004: "the message is empty",
    45002: "the message is too long",
    93000: "its key is not valid: the robot was removed, or the address is not the whole one; copy it anew",
    93004: "the robot was switched off",
    93008: "the robot is not in the group any more",
    93017: "the group does not exist any more",
}
_FEISHU = {
    9499: "the message is malformed",
    19001: "its key is not valid: the robot was removed, or the address is not the whole one; copy it anew",
    19021: "the signature is not right: compare the secret with the robot's, and this machine's clock with the time",
    19022: "this machine's address is not on the robot's IP whitelist",
    19024: "none of the robot's keywords is in the message: add the paper's name to them",
    19036: "the message is too long",
}
# open.dingtalk.com/document/orgapp/custom-robots-send-group-messages (errors)
_DINGTALK = {
    300001: "its token is not valid: the robot was removed, or the address is not the whole one; copy it anew",
    310000: "a safety setting of the robot refused it: secret, keywords or IP whitelist",
    400013: "the group does not exist any more",
    400101: "its token is not valid: the robot was removed, or the address is not the whole one; copy it anew",
    400102: "the robot was switched off",
    430101: "a link in the message was taken for a dangerous one",
    430102: "the text was taken for an unfit one",
    430103: "a picture was taken for an unfit one",
    430104: "something in the message was taken for unfit",
}
_REASONS = {RobotKind.WECOM: _WECOM, RobotKind.FEISHU: _FEISHU, RobotKind.DINGTALK: _DINGTALK}

_WAITS = {
    RobotKind.WECOM: {-1: _MINUTE, 45009: _MINUTE, 45033: _MINUTE},
    RobotKind.FEISHU: {11232: _MINUTE},
    RobotKind.DINGTALK: {-1: _MINUTE, 130101: _TEN, 410100: _TEN},  # it is deaf for ten minutes then
}
"""Codes that pass by themselves, and after how long at the soonest."""


def _read(kind: RobotKind, answer: Answer) -> Outcome:
    if answer.status == 504:  # a gateway gave up waiting: what is behind it may have taken it
        return Outcome(Verdict.DOUBTFUL, "answered 504")
    if answer.status >= 500 or answer.status == 429:
        return Outcome(Verdict.LATER, f"answered {answer.status}", _MINUTE)
    if 300 <= answer.status < 400:
        return Outcome(Verdict.REFUSED, f"answered {answer.status}: the address leads elsewhere")
    said = _json(answer.body)
    code = next((said[key] for key in ("errcode", "code", "StatusCode") if type(said.get(key)) is int), None)
    if code is None:
        if answer.good:
            return Outcome(Verdict.DOUBTFUL, f"answered {answer.status}, but not whether it took the message")
        return Outcome(Verdict.REFUSED, f"answered {answer.status}")
    if code == 0:
        return Outcome(Verdict.TAKEN, "ok")
    words = " ".join(str(said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or "").split())[
        :200
    ]
    told = f"{code}: {_REASONS[kind].get(code) or words or 'refused'}"
    if code in _WAITS[kind]:
        return Outcome(Verdict.LATER, f"{code}: {words or 'too many messages'}", _WAITS[kind][code])
    if kind is RobotKind.FEISHU and code == 9499 and "too many" in words.lower():
        return Outcome(Verdict.LATER, f"{code}: {words}", _MINUTE)
    return Outcome(Verdict.REFUSED, told)


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _masked(said: str, robot: Robot) -> str:
    """What is said, without any part of the robot's address that may be its key, should the other side repeat it."""
    keys = {robot.url, robot.secret, *robot.secrets} - {""}
    for key in sorted(keys, key=len, reverse=True):
        said = said.replace(key, "…")
    return said

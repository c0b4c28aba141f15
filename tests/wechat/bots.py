"""Bots as people write them around wechaty or itchat: a loop, a little memory, and a function that sends.

`poll` is what their loops do once; the loops themselves are `while True: bot.poll(); time.sleep(60)`.
None of them knows more of the service than its address.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import feedparser
import requests

Send = Callable[[str], None]


@dataclass
class RssBot:
    """Reads a feed, remembers the ids it has seen in a file, sends headline and link of the others.

    What stands in the feed when it first comes is old to it, as is usual.
    """

    url: str
    send: Send
    memory: Path
    etag: str | None = None

    def poll(self) -> None:
        """Ask once."""
        asked = {"If-None-Match": self.etag} if self.etag else {}
        answer = requests.get(self.url, headers=asked, timeout=10)
        if answer.status_code != 200:
            return
        self.etag = answer.headers.get("ETag")
        found = feedparser.parse(answer.content).entries
        first = not self.memory.exists()
        seen = set() if first else set(json.loads(self.memory.read_text(encoding="utf-8")))
        for entry in reversed(found):
            if entry.id not in seen:
                seen.add(entry.id)
                if not first:
                    self.send(f"{entry.title}\n{entry.link}")
        self.memory.write_text(json.dumps(sorted(seen)), encoding="utf-8")


@dataclass
class CursorBot:
    """Asks the relay with the cursor of the last answer, and keeps that in a file."""

    url: str
    send: Send
    memory: Path
    form: str = "text"  # or markdown
    wait: int = 0
    token: str = ""
    sent: set[str] = field(default_factory=set)

    def poll(self) -> None:
        """Ask until there is no more."""
        while self._ask().get("more"):
            pass

    def _ask(self) -> dict[str, Any]:
        query: dict[str, str] = {"after": self._cursor()}
        if self.wait:
            query["wait"] = str(self.wait)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = requests.get(self.url, params=query, headers=headers, timeout=self.wait + 10)
        if answer.status_code != 200:
            return {}
        told: dict[str, Any] = answer.json()
        for message in told["messages"]:
            if message["id"] not in self.sent:
                self.sent.add(message["id"])
                self.send(message[self.form])
        self.memory.write_text(told["cursor"], encoding="utf-8")
        return told

    def _cursor(self) -> str:
        return self.memory.read_text(encoding="utf-8") if self.memory.exists() else "now"


class LongPollBot(CursorBot):
    """The same, but each question waits for an answer: what is new is there within a second."""

    def __init__(self, url: str, send: Send, memory: Path, wait: int = 30) -> None:
        super().__init__(url, send, memory, wait=wait)

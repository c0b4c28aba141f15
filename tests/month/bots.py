"""Three kinds of bots as people write them: each keeps a cursor, forwards what it gets, and dies at times."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from syndicate.render.budget import Unit, size

Message = dict[str, Any]


@dataclass
class Bot:
    """What all have in common: `told` is what its group saw, in order."""

    feed: str
    address: str  # on the network: limits are counted by it
    limit: int
    eager: float  # how likely it polls when it could
    at_once: bool = True  # it asks until there is no more; else once each time
    cursor: str = "now"
    told: list[Message] = field(default_factory=list)
    asked: int = 0
    deaths: int = 0

    def poll(self, visitor: FlaskClient, chance: random.Random) -> None:
        """Ask until nothing is left; killed at times between forwarding and keeping the cursor."""
        more = True
        while more:
            answer = self.ask(visitor)
            if answer is None:
                return
            if answer["messages"] and chance.random() < 0.15:
                self.deaths += 1
                self.learn(None)
                again = self.ask(visitor)
                assert again is not None
                assert [m["id"] for m in again["messages"]] == [m["id"] for m in answer["messages"]]
                answer = again
            assert len(answer["messages"]) <= self.limit
            for message in answer["messages"]:
                self.forward(message)
                self.told.append(message)
            self.cursor, more = answer["cursor"], answer["more"] and self.at_once

    def ask(self, visitor: FlaskClient) -> dict[str, Any] | None:
        """One request; None when there is nothing that it does not have."""
        got = visitor.get(
            f"/yuebao/relay/{self.feed}.json",
            query_string={"after": self.cursor, "limit": self.limit, **self.wishes()},
            headers=self.known(),
            environ_base={"REMOTE_ADDR": f"{self.address}.{self.asked // 50}"},  # a minute later
        )
        self.asked += 1
        if got.status_code == 301:  # its section has another name now
            self.feed = got.headers["Location"].partition("/relay/")[2].partition(".json")[0]
            return self.ask(visitor)
        if got.status_code == 304 or (
            got.status_code == 404 and not self.told
        ):  # a name that was not printed yet
            return None
        assert got.status_code == 200, got.text
        self.learn(got.headers.get("ETag"))
        answer: dict[str, Any] = json.loads(got.data)
        return answer

    def wishes(self) -> dict[str, object]:
        """What it asks for besides."""
        return {}

    def known(self) -> dict[str, str]:
        """What it says that it has."""
        return {}

    def learn(self, etag: str | None) -> None:
        """Keep the tag of an answer."""

    def forward(self, message: Message) -> None:
        """Post it, as far as WeChat takes it."""
        assert 0 < size(message["text"], Unit.BYTES) <= 2048
        assert 0 < size(message["markdown"], Unit.BYTES) <= 4096


@dataclass
class TextBot(Bot):
    """Posts texts into a group; asks with the ETag of its last answer."""

    etag: str | None = None

    def known(self) -> dict[str, str]:
        """Its tag."""
        return {"If-None-Match": self.etag} if self.etag else {}

    def learn(self, etag: str | None) -> None:
        """The tag of this answer."""
        self.etag = etag


class CardBot(Bot):
    """Posts cards by way of a WeCom robot."""

    def forward(self, message: Message) -> None:
        """Cards where there are any, else the Markdown."""
        super().forward(message)
        for card in message.get("news", ()):
            assert 0 < size(card["title"], Unit.BYTES) <= 128
            assert size(card["description"], Unit.BYTES) <= 512
            assert card["url"].startswith("https://yuebao.example/yuebao/")
            assert ".png" in card["picurl"]
        assert len(message.get("news", ())) <= 8
        assert ("news" in message) is (message["kind"] != "withdrawn")


class DraftBot(Bot):
    """Makes drafts of an Official Account; waits a moment for something new."""

    def wishes(self) -> dict[str, object]:
        """No long wait: the month is long enough."""
        return {"wait": 0}

    def forward(self, message: Message) -> None:
        """The draft's fields, as the account takes them."""
        super().forward(message)
        if message["kind"] == "withdrawn":
            return
        draft = message["draft"]
        assert 0 < size(draft["title"], Unit.UTF16) <= 32
        assert size(draft["author"], Unit.UTF16) <= 16
        assert size(draft["digest"], Unit.UTF16) <= 128
        assert 0 < size(draft["content"], Unit.UTF16) < 20_000
        assert size(draft["content"], Unit.BYTES) < 1_000_000


__all__ = ["Bot", "CardBot", "DraftBot", "Message", "TextBot"]

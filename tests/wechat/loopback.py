"""A WeChat that listens on this machine and behaves as the real one was seen to behave.

Group robots of 企业微信, 飞书 and 钉钉, and an Official Account. It refuses what they refuse and, what
is worse, cuts what they cut without a word: `cut` tells. Its clock is a test's; `faults` are played one
for each request, in order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Said = dict[str, Any]

WECOM, FEISHU, DINGTALK = "wecom-k3y-7f3a", "feishu-k3y-55d0", "dingtalk-k3y-9d1e"  # keys of three robots
SIGNED = "signed-"  # before a key: the robot wants a signature
SECRET = "SEC-hush"
APPID, APPSECRET = "wx5f0c", "app-hush"

TOKEN_SECONDS = 7200
BOUNDS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}  # bytes


@dataclass
class Message:
    """What a group was shown, or what was refused."""

    key: str
    body: Said
    code: int = 0


@dataclass
class WeChat:
    """The service as a test sees it."""

    url: str
    now: Callable[[], float] = time.time
    shown: list[Message] = field(default_factory=list)
    refused: list[Message] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)  # texts that were cut, as they were sent
    faults: deque[str] = field(default_factory=deque)  # drop-before, drop-after, 500, 504, slow, html, -1, …
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    # The Official Account
    drafts: list[list[Said]] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)  # until when each is good
    token_asked: int = 0
    pictures: dict[str, bytes] = field(default_factory=dict)  # by address
    covers: dict[str, bytes] = field(default_factory=dict)  # by media_id
    filtered: list[str] = field(default_factory=list)  # pictures from elsewhere, taken out of drafts
    garbled: int = 0  # requests with escapes, which drafts show as they stand
    whitelisted: bool = True
    permitted: bool = True
    delay: float = 0.0  # seconds that each answer takes
    answered: threading.Event = field(default_factory=threading.Event)
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def robot(self, kind: str, *, signed: bool = False) -> str:
        """The address of a group's robot."""
        mark = SIGNED if signed else ""
        return {
            "wecom": f"{self.url}/cgi-bin/webhook/send?key={WECOM}",
            "feishu": f"{self.url}/open-apis/bot/v2/hook/{mark}{FEISHU}",
            "dingtalk": f"{self.url}/robot/send?access_token={mark}{DINGTALK}",
        }[kind]

    def answer(self, path: str, query: dict[str, str], body: bytes, kind: str) -> Said:
        """What is answered to a request that came whole."""
        with self._lock:
            if path == "/cgi-bin/webhook/send":
                return self._told(
                    query.get("key", ""), body, _wecom, (93000, "invalid webhook url"), "errcode"
                )
            if path.startswith("/open-apis/bot/v2/hook/"):
                key = path.rpartition("/")[2]
                return self._told(
                    key,
                    body,
                    self._feishu,
                    (19001, "param invalid: incoming webhook access token invalid"),
                    "code",
                )
            if path == "/robot/send":
                signed = {"timestamp": query.get("timestamp", ""), "sign": query.get("sign", "")}
                key = query.get("access_token", "")
                return self._told(key, body, _dingtalk, (300001, "token is not exist"), "errcode", signed)
            return self._account(path, query, body, kind)

    def _told(
        self,
        key: str,
        body: bytes,
        read: Callable[[WeChat, Said], int],
        unknown: tuple[int, str],
        name: str,
        signed: Said | None = None,
    ) -> Said:
        try:
            said = json.loads(body)
        except ValueError:
            said = {}
        plain = key.removeprefix(SIGNED)
        if plain not in (WECOM, FEISHU, DINGTALK):
            code = unknown[0]
        elif key.startswith(SIGNED) and not self._genuine(plain, signed or said):
            code = 310000 if plain == DINGTALK else 19021
        elif not self._in_time(key):
            code = {WECOM: 45009, FEISHU: 11232, DINGTALK: 130101}[plain]
        else:
            code = read(self, said)
        (self.refused if code else self.shown).append(Message(key, said, code))
        self.answered.set()
        words = {0: "ok", unknown[0]: unknown[1]}.get(code, f"refused, hint: [{key}]")
        return {name: code, "errmsg" if name == "errcode" else "msg": words}

    def _in_time(self, key: str) -> bool:
        """At most so many messages in any minute; 钉钉 is deaf for ten minutes after one too many."""
        times, now = self._times.setdefault(key, deque()), self.now()
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= (100 if key.endswith(FEISHU) else 20):
            if key.endswith(DINGTALK):
                times.extend([now + 540] * 20)
            return False
        times.append(now)
        return True

    def _genuine(self, key: str, said: Said) -> bool:
        text = f"{said.get('timestamp')}\n{SECRET}"
        if key == FEISHU:
            wanted, scale = hmac.new(text.encode(), b"", hashlib.sha256).digest(), 1
        else:
            wanted, scale = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest(), 1000
        with suppress(KeyError, TypeError, ValueError):
            fresh = abs(int(said["timestamp"]) / scale - self.now()) < 3600
            return fresh and base64.b64decode(said["sign"]) == wanted
        return False

    def shorten(self, text: str, limit: int) -> str:
        """Cut as the real one does: after so many bytes, wherever that is, without a word."""
        packed = text.encode()
        if len(packed) <= limit:
            return text
        self.cut.append(text)
        return packed[:limit].decode(errors="ignore")

    def _feishu(self, _: WeChat, said: Said) -> int:
        if len(json.dumps(said, ensure_ascii=False).encode()) > 20 * 1024:
            return 19036
        kind = said.get("msg_type")
        if kind == "text":
            return 0 if str(said.get("content", {}).get("text", "")).strip() else 9499
        if kind == "post":
            post = said.get("content", {}).get("post", {}).get("zh_cn", {})
            return 0 if post.get("title") and post.get("content") else 9499
        return 9499

    def _account(self, path: str, query: dict[str, str], body: bytes, kind: str) -> Said:
        if not self.whitelisted:
            return _error(40164, "invalid ip 127.0.0.1, not in whitelist")
        if path == "/cgi-bin/stable_token":
            return self._token(json.loads(body))
        until = self.tokens.get(query.get("access_token", ""))
        if until is None:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        if until <= self.now():
            return _error(42001, "access_token expired")
        if not self.permitted:
            return _error(48001, "api unauthorized")
        if path == "/cgi-bin/draft/add":
            return self._draft(body)
        picture = _picture(body, kind)
        if not picture.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
            return _error(40005, "invalid file type")
        if len(picture) >= (1_000_000 if path.endswith("uploadimg") else 10_000_000):
            return _error(40009, "invalid image size")
        if path.endswith("uploadimg"):
            address = f"http://mmbiz.qpic.cn/mmbiz_png/{len(self.pictures)}/0"
            self.pictures[address] = picture
            return {"url": address}
        media = f"cover-{len(self.covers)}"
        self.covers[media] = picture
        return {"media_id": media, "url": f"http://mmbiz.qpic.cn/cover/{media}"}

    def _token(self, said: Said) -> Said:
        if said.get("appid") != APPID:
            return _error(40013, "invalid appid")
        if said.get("secret") != APPSECRET:
            return _error(40125, f"invalid appsecret {said.get('secret')}")
        self.token_asked += 1
        now = self.now()
        good = next((key for key, until in self.tokens.items() if until - now > 300), None)
        if good is None:
            good = f"token-{self.token_asked}-hush"
            self.tokens[good] = now + TOKEN_SECONDS
        return {"access_token": good, "expires_in": int(self.tokens[good] - now)}

    def _draft(self, body: bytes) -> Said:
        if re.search(rb"\\u[0-9a-f]{4}", body):
            self.garbled += 1
        articles = json.loads(body).get("articles", [])
        if not articles:
            return _error(44003, "empty news data")
        if len(articles) > 8:
            return _error(45008, "article size out of limit")
        for article in articles:
            if code := self._wrong(article):
                return _error(code, "invalid draft")
        if len(articles) > 1 and any(article.get("digest") for article in articles):
            self.cut.extend(article["digest"] for article in articles if article.get("digest"))
        for article in articles:
            article["content"] = re.sub(
                r"<script.*?</script>|<img\b[^>]*>", self._shown_picture, article["content"]
            )
        self.drafts.append(articles)
        self.answered.set()
        return {"media_id": f"draft-{len(self.drafts)}"}

    def _wrong(self, article: Said) -> int:
        content = article.get("content", "")
        for code, wrong in (
            (45003, not article.get("title") or len(article["title"]) > 32),
            (45110, len(article.get("author", "")) > 16),
            (45004, len(article.get("digest", "")) > 128),
            (45002, not content or len(content) >= 20_000 or len(content.encode()) >= 1_000_000),
            (45005, len(article.get("content_source_url", "").encode()) > 1024),
            (40007, article.get("thumb_media_id") not in self.covers),
        ):
            if wrong:
                return code
        return 0

    def _shown_picture(self, tag: re.Match[str]) -> str:
        source = re.search(r'src="([^"]*)"', tag[0])
        if source and source[1] in self.pictures:
            return tag[0]
        self.filtered.append(tag[0])
        return ""


def _wecom(wechat: WeChat, said: Said) -> int:
    kind = said.get("msgtype")
    if kind == "text":
        content = said.get("text", {}).get("content", "")
        said["text"]["content"] = wechat.shorten(content, BOUNDS["text"])
        return 0 if content.strip() else 44004
    if kind in ("markdown", "markdown_v2"):
        content = said.get(kind, {}).get("content", "")
        if not content.strip():
            return 44004
        return 40058 if len(content.encode()) > BOUNDS[kind] else 0
    if kind == "news":
        cards = said.get("news", {}).get("articles", [])
        if not 1 <= len(cards) <= 8 or not all(card.get("title") and card.get("url") for card in cards):
            return 40058
        for card in cards:
            card["title"] = wechat.shorten(card["title"], 128)
            card["description"] = wechat.shorten(card.get("description", ""), 512)
        return 0
    return 40008


def _dingtalk(_: WeChat, said: Said) -> int:
    if len(json.dumps(said, ensure_ascii=False).encode()) > 20_000:
        return 460101
    kind = said.get("msgtype")
    if kind == "text":
        return 0 if said.get("text", {}).get("content", "").strip() else 40035
    if kind == "markdown":
        told = said.get("markdown", {})
        return 0 if told.get("title") and told.get("text") else 40035
    if kind == "feedCard":
        links = said.get("feedCard", {}).get("links", [])
        good = links and all(link.get(key) for link in links for key in ("title", "messageURL", "picURL"))
        return 0 if good else 40035
    return 400105


def _error(code: int, words: str) -> Said:
    return {"errcode": code, "errmsg": f"{words} rid: 5f0c"}


def _picture(body: bytes, kind: str) -> bytes:
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    part = next((part for part in form.walk() if part.get_filename()), None)
    payload = part.get_payload(decode=True) if part else b""
    return payload if isinstance(payload, bytes) else b""


@contextmanager
def wechat(port: int = 0) -> Iterator[WeChat]:
    """A WeChat that listens until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with suppress(OSError):  # the client was killed
                _play(self, heard)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """A client that was killed is part of the tests."""

    with Quiet(("127.0.0.1", port), Handler) as server:
        heard = WeChat(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def _play(request: BaseHTTPRequestHandler, heard: WeChat) -> None:
    with heard._lock:
        fault = heard.faults.popleft() if heard.faults else ""
    if fault == "drop-before":
        request.connection.close()
        return None
    body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    parts = urlsplit(request.path)
    heard.requests.append((request.path, body))
    if fault in ("500", "502", "504", "429", "403"):
        return _said(request, int(fault), b"busy")
    if fault == "html":
        return _said(request, 200, b"<html>busy</html>")
    if fault == "words":
        return _said(request, 200, b'{"errcode":"busy","errmsg":"played"}')
    if re.fullmatch(r"-?\d+", fault):
        return _said(
            request, 200, json.dumps({"errcode": int(fault), "code": int(fault), "errmsg": "played"}).encode()
        )
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    answer = heard.answer(parts.path, query, body, request.headers.get("Content-Type", ""))
    time.sleep(0.5 if fault == "slow" else heard.delay)
    if fault == "drop-after":
        request.connection.close()
        return None
    return _said(request, 200, json.dumps(answer, ensure_ascii=False).encode())


def _said(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)

"""The Official Account (公众号): its token, pictures, covers and drafts. A person presses publish.

developers.weixin.qq.com/doc/service/api/ (2025). It answers HTTP 200 to what it refuses: only
`errcode` tells. Appsecret and token stand in no text that leaves this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from urllib3.filepost import encode_multipart_formdata

from syndicate.deliver.outside import Outside, host
from syndicate.deliver.robots import raw
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from syndicate.model import OfficialAccount

PICTURE_LIMIT = 1_000_000  # bytes: uploadimg takes JPG and PNG of less than 1 MB
ARTICLES = 8  # in one draft
STALE_TOKEN = (40001, 40014, 42001)
"""The token is not valid, or not any more: renew it once and try again."""

_LATER = (-1, 45009, 45011, 50002)
# Why, and what a person can do about it.
_REASONS = {
    40001: "the AppSecret is not right, or the token was replaced: compare the secret at mp.weixin.qq.com",
    40005: "a picture is of a kind that it does not take (only JPG and PNG)",
    40007: "the cover does not exist any more: it was deleted from the account's materials",
    40009: "a picture is too large",
    40013: "the AppID is not right: compare it at mp.weixin.qq.com",
    40125: "the AppSecret is not right: compare it at mp.weixin.qq.com",
    40164: "this machine's address is not on the IP whitelist: add it at mp.weixin.qq.com, 设置与开发",
    44003: "there are no articles in it",
    45001: "a picture is too large",
    45003: "a title is too long: set title_limit lower",
    45004: "a summary is too long",
    45009: "the account has used up its calls for today",
    45110: "an author's name is too long: set author",
    48001: "the account may not do this: it needs the right to the draft box (草稿箱)",
    53404: "the account is limited for now: look at mp.weixin.qq.com",
}


class RefusedError(DeliveryError):
    """The account said no, with this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message, permanent=code not in _LATER)
        self.code = code


@dataclass(frozen=True, slots=True)
class Token:
    """What every call shows; good for so many seconds."""

    value: str = field(repr=False)
    seconds: int


def token(account: OfficialAccount, http: Outside) -> Token:
    """A token that other programs of the account do not end, nor we theirs (stable_token).

    Raises DeliveryError, as all here do; never a doubtful one: whoever asks twice gets the same token.
    """
    asked = {"grant_type": "client_credential", "appid": account.appid, "secret": account.secret}
    try:
        said = _asked(account, http, "/cgi-bin/stable_token", {}, raw(asked))
        seconds = said.get("expires_in")
        return Token(_text(said, "access_token", account), seconds if type(seconds) is int else 0)
    except DoubtfulDeliveryError as e:
        raise DeliveryError(str(e), permanent=False) from e


def upload_picture(account: OfficialAccount, http: Outside, key: str, picture: bytes, kind: str) -> str:
    """Upload a picture for the inside of an article; its address there, the only one that is shown."""
    said = _uploaded(account, http, "/cgi-bin/media/uploadimg", {"access_token": key}, picture, kind)
    return _text(said, "url", account)


def add_cover(account: OfficialAccount, http: Outside, key: str, picture: bytes, kind: str) -> str:
    """Keep a picture in the account for good, as drafts want for their covers; its media_id."""
    query = {"access_token": key, "type": "image"}
    said = _uploaded(account, http, "/cgi-bin/material/add_material", query, picture, kind)
    return _text(said, "media_id", account)


def add_draft(
    account: OfficialAccount, http: Outside, key: str, articles: Sequence[Mapping[str, Any]]
) -> str:
    """Put a draft of one to eight articles into the draft box; its media_id.

    Raises DoubtfulDeliveryError when it may be there already.
    """
    body = raw({"articles": [dict(article) for article in articles[:ARTICLES]]})
    said = _asked(account, http, "/cgi-bin/draft/add", {"access_token": key}, body)
    return _text(said, "media_id", account)


def _uploaded(
    account: OfficialAccount, http: Outside, path: str, query: Mapping[str, str], picture: bytes, kind: str
) -> dict[str, Any]:
    name = f"picture.{kind.partition('/')[2]}"
    body, form = encode_multipart_formdata({"media": (name, picture, kind)})
    return _asked(account, http, path, query, body, form)


def _asked(
    account: OfficialAccount,
    http: Outside,
    path: str,
    query: Mapping[str, str],
    body: bytes,
    form: str = "application/json; charset=utf-8",
) -> dict[str, Any]:
    url = f"{account.api}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    answer = http.request("POST", url, headers={"Content-Type": form}, body=body)
    place = f"{host(account.api)}{path}"
    if answer.status == 504:
        raise DoubtfulDeliveryError(f"{place}: answered 504")
    if not answer.good:
        raise DeliveryError(f"{place}: answered {answer.status}", permanent=answer.status < 500)
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise DoubtfulDeliveryError(f"{place}: answered something else than JSON")
    if code := said.get("errcode"):
        if type(code) is not int:
            raise DoubtfulDeliveryError(f"{place}: answered with an errcode that is no number")
        words = " ".join(str(said.get("errmsg", "")).split())[:200]
        told = _REASONS.get(code) or words.replace(account.secret, "…").replace(
            query.get("access_token") or "…", "…"
        )
        raise RefusedError(code, f"{place}: {code}: {told}")
    return said


def _text(said: Mapping[str, Any], key: str, account: OfficialAccount) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise DoubtfulDeliveryError(f"{host(account.api)}: answered without {key}")
    return value

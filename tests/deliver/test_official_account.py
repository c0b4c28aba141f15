"""The Official Account: a token, pictures, a cover, a draft; and what to do when it says no."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from syndicate.deliver import official_account
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from syndicate.model import OfficialAccount
from tests.subscriber import client
from tests.wechat.loopback import APPID, APPSECRET, WeChat, wechat


@pytest.fixture
def weixin() -> Iterator[WeChat]:
    with wechat() as weixin:
        yield weixin


def account(weixin: WeChat, secret: str = APPSECRET) -> OfficialAccount:
    return OfficialAccount(APPID, secret, api=weixin.url)


def png() -> bytes:
    packed = BytesIO()
    Image.new("RGB", (90, 38), "#12505b").save(packed, "PNG")
    return packed.getvalue()


def article(cover: str, **said: str) -> dict[str, str]:
    return {"title": "青溪二桥今起试通车", "content": "<p>正文</p>", "thumb_media_id": cover} | said


def test_a_draft_with_cover_and_picture_arrives_as_it_was_written(weixin: WeChat) -> None:
    ours, http = account(weixin), client()
    key = official_account.token(ours, http).value
    address = official_account.upload_picture(ours, http, key, png(), "image/png")
    cover = official_account.add_cover(ours, http, key, png(), "image/png")

    media = official_account.add_draft(
        ours, http, key, [article(cover, content=f'<p>正文</p><img src="{address}">'), article(cover)]
    )

    assert media == "draft-1"
    assert [a["title"] for a in weixin.drafts[0]] == ["青溪二桥今起试通车"] * 2
    assert address in weixin.drafts[0][0]["content"]
    assert (weixin.garbled, weixin.filtered, weixin.cut) == (0, [], [])
    assert weixin.pictures[address] == weixin.covers[cover] == png()


def test_a_token_is_good_for_a_while_and_shown_to_nobody(weixin: WeChat) -> None:
    token = official_account.token(account(weixin), client())

    assert token.seconds == 7200
    assert token.value not in repr(token)


@pytest.mark.parametrize(
    ("code", "words", "permanent"),
    [
        ("45003", "set title_limit lower", True),
        ("45004", "a summary is too long", True),
        ("45110", "set author", True),
        ("40007", "the cover does not exist", True),
        ("40164", "add it at mp.weixin.qq.com", True),
        ("48001", "草稿箱", True),
        ("45009", "used up its calls", False),
        ("-1", "played", False),
        ("40001", "AppSecret", True),
    ],
)
def test_a_refusal_is_a_sentence_a_person_can_act_on(
    weixin: WeChat, code: str, words: str, permanent: bool
) -> None:
    weixin.faults.append(code)

    with pytest.raises(official_account.RefusedError, match=words) as refused:
        official_account.add_draft(account(weixin), client(), "key", [article("cover")])

    assert (refused.value.code, refused.value.permanent) == (int(code), permanent)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "html", "504"])
def test_a_draft_that_may_be_there_is_a_doubt(weixin: WeChat, fault: str) -> None:
    weixin.faults.append(fault)

    with pytest.raises(DoubtfulDeliveryError):
        official_account.add_draft(account(weixin), client(), "key", [article("cover")])


def test_a_busy_server_is_for_later(weixin: WeChat) -> None:
    weixin.faults.append("500")

    with pytest.raises(DeliveryError) as error:
        official_account.token(account(weixin), client())

    assert not error.value.permanent


def test_a_wrong_secret_is_named_and_not_said(weixin: WeChat) -> None:
    with pytest.raises(DeliveryError, match="the AppSecret is not right") as error:
        official_account.token(account(weixin, "wrong-hush"), client())

    assert "wrong-hush" not in str(error.value)


def test_a_token_of_yesterday_is_refused_by_its_code(weixin: WeChat) -> None:
    ours, http = account(weixin), client()
    key = official_account.token(ours, http).value
    then = weixin.now()
    weixin.now = lambda: then + 86_400

    with pytest.raises(official_account.RefusedError) as refused:
        official_account.add_draft(ours, http, key, [article("cover")])

    assert refused.value.code in official_account.STALE_TOKEN
    assert key not in str(refused.value)


@pytest.mark.parametrize("fault", ["504", "html", "drop-after", "words"])
def test_a_token_that_does_not_come_is_no_doubt(weixin: WeChat, fault: str) -> None:
    weixin.faults.append(fault)

    with pytest.raises(DeliveryError) as told:
        official_account.token(account(weixin), client())

    assert not isinstance(told.value, DoubtfulDeliveryError)
    assert not told.value.permanent


def test_an_answer_whose_code_is_no_number_leaves_a_doubt(weixin: WeChat) -> None:
    ours, http = account(weixin), client()
    key = official_account.token(ours, http).value
    weixin.faults.append("words")

    with pytest.raises(DoubtfulDeliveryError, match="no number"):
        official_account.add_draft(ours, http, key, [article("cover-0")])

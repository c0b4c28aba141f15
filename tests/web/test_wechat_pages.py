"""Pages as WeChat takes them: title, description and picture for the preview of a link; readable in its browser."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser

from tests.web.conftest import DAYS, SITE
from tests.web.test_browser import browser, site, visitor

__all__ = ["browser", "site"]  # fixtures

WECHAT = (
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile "
    "Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560 NetType/WIFI Language/zh_CN"
)
PAGES = (
    "/qinglan/",
    f"/qinglan/{DAYS[2]}",
    f"/qinglan/{DAYS[2]}/1/1",
    "/qinglan/sections/yaowen",
    "/qinglan/bylines/何晓楠",
    "/qinglan/issues",
    "/qinglan/feeds/",
    "/qinglan/subscribe",
)


@pytest.mark.parametrize("address", [*PAGES, f"/qinglan/{DAYS[2]}/1/3"])  # a photo without a word
def test_a_link_is_previewed_with_title_description_and_picture(front: FlaskClient, address: str) -> None:
    text = front.get(address, headers={"User-Agent": WECHAT}).get_data(as_text=True)
    told = dict(reversed(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', text)))

    picture = front.get(told["image"].removeprefix(SITE))

    assert told["title"]
    assert told["description"]
    assert told["description"] not in told["title"]
    assert re.search(r'<meta name="description" content="[^"]+">', text)
    assert told["image"].startswith(f"{SITE}/qinglan/cards/")
    assert picture.mimetype == "image/png"
    assert len(picture.data) < 300_000
    width, height = Image.open(io.BytesIO(picture.data)).size
    assert width == height >= 300  # it crops to a square


@pytest.mark.parametrize("address", PAGES)
def test_wechat_s_browser_gets_all_of_a_page_and_nothing_pops_up(
    browser: Browser, site: str, address: str
) -> None:
    with visitor(browser, site, 390, user_agent=WECHAT) as (page, wrong):
        refused: list[str] = []
        page.on("response", lambda r: refused.extend([r.url] if r.status >= 400 else []))
        page.on("requestfailed", lambda r: refused.append(r.url))
        page.on("popup", lambda other: wrong.append(f"pop-up: {other.url}"))

        page.goto(site + address, wait_until="networkidle")

        assert (wrong, refused) == ([], [])
        assert len(page.inner_text("main")) > 20

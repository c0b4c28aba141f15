"""The site in Chromium, as wide as a phone and as a desk: nothing sticks out, nothing complains, nothing
is asked of anybody else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page, expect, sync_playwright
from werkzeug.serving import make_server

from syndicate import store
from syndicate.jobs import mail_confirmations, publish
from syndicate.model import Byline, Part
from syndicate.services import Services
from syndicate.settings import CHECKOUT
from syndicate.store import entries
from syndicate.web import create_app
from tests.conftest import optional
from tests.render import hostile
from tests.samples import article, subscribe
from tests.web.conftest import DAYS, FULL, LOST, print_issue
from tests.web.test_pages import EVERY_PAGE

CHROMIUM = "/usr/bin/chromium"
WIDTHS = (390, 1280)
MEDIA: tuple[Literal["screen", "print"], ...] = ("screen", "print")
LONG = "W" * 400
ENDLESS = "永" * 300 + "http://example.org/" + "a" * 300

OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        optional(f"no browser: {CHROMIUM} is missing (apt-get install chromium)")
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except Error as e:
            optional(f"no browser: {CHROMIUM} does not start: {e.message.splitlines()[0]}")
            raise
        yield opened
        opened.close()


@pytest.fixture
def site(printed: Services) -> Iterator[str]:
    """The address of the served site, hostile and endless articles included."""
    _print_hard_issue(printed)
    publish.run(printed)
    server = make_server("127.0.0.1", 0, create_app(printed), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def visitor(browser: Browser, site: str, width: int, **wishes: object) -> Iterator[tuple[Page, list[str]]]:
    """A page of that width, and a list of everything it should not do."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 844},
        http_credentials={"username": "desk", "password": "käse"},
        **wishes,  # type: ignore[arg-type]  # playwright's own names
    )
    page = context.new_page()
    wrong: list[str] = []

    def refuse(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", lambda m: wrong.append(f"console: {m.text}"))
    page.on("pageerror", lambda e: wrong.append(f"error: {e}"))
    page.on("dialog", refuse)
    page.on("request", lambda r: wrong.extend([] if r.url.startswith(site) else [f"outside: {r.url}"]))
    yield page, wrong
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_is_quiet(browser: Browser, site: str, printed: Services, width: int) -> None:
    with visitor(browser, site, width) as (page, wrong):
        for address in (*EVERY_PAGE, *_more_pages(printed)):
            page.goto(site + address)

            assert page.evaluate(OVERFLOW) <= 0, address
            assert wrong == [], address


@pytest.mark.parametrize("width", WIDTHS)
def test_the_english_pages_fit_too(browser: Browser, site: str, width: int) -> None:
    with visitor(browser, site, width) as (page, wrong):
        for address in EVERY_PAGE:
            page.goto(f"{site}{address}?lang=en")

            assert page.evaluate(OVERFLOW) <= 0, address
            assert wrong == [], address


@pytest.mark.parametrize("address", ["/nix/", "/qinglan/2026-11-30", "/qinglan/leave/x"])
@pytest.mark.parametrize("width", WIDTHS)
def test_errors_fit(browser: Browser, site: str, address: str, width: int) -> None:
    with visitor(browser, site, width) as (page, _):
        page.goto(site + address)

        assert page.evaluate(OVERFLOW) <= 0


def test_pages_fit_in_the_dark_and_on_paper(browser: Browser, site: str) -> None:
    for media in MEDIA:
        with visitor(browser, site, 794, color_scheme="dark") as (page, wrong):
            page.emulate_media(media=media)
            for address in EVERY_PAGE:
                page.goto(site + address)

                assert page.evaluate(OVERFLOW) <= 0, (media, address)
                assert wrong == [], (media, address)


def test_large_letters_fit(browser: Browser, site: str) -> None:
    with visitor(browser, site, 320) as (page, wrong):
        for address in EVERY_PAGE:
            page.goto(site + address)
            page.evaluate("document.documentElement.style.setProperty('font-size', '150%')")

            assert page.evaluate(OVERFLOW) <= 0, address
            assert wrong == [], address


def test_a_reader_signs_up_without_script(browser: Browser, site: str, printed: Services) -> None:
    with visitor(browser, site, 390, java_script_enabled=False) as (page, wrong):
        page.goto(f"{site}/qinglan/subscribe")
        page.get_by_label("您的电子邮箱").fill("reader@example.org")
        page.get_by_label("每周一封").check()
        page.get_by_role("button", name="订阅").click()

        assert "请查看您的邮箱" in page.inner_text("main")
        mail_confirmations.run(printed)
        page.goto(f"{site}/outbox")
        page.get_by_role("link", name=re.compile("订阅|确认")).first.click()
        link = page.inner_text("pre")
        found = re.search(r"/qinglan/confirm/[\w.-]+", link)
        assert found
        page.goto(site + found[0])
        page.get_by_role("main").get_by_role("button").click()

        assert "订阅成功" in page.inner_text("main")
        assert wrong == []


def test_the_first_tab_leads_past_the_navigation(browser: Browser, site: str) -> None:
    with visitor(browser, site, 1280) as (page, _):
        page.goto(f"{site}/qinglan/")
        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0


@pytest.mark.parametrize("script", [True, False])
def test_one_click_selects_a_feed_s_address(browser: Browser, site: str, script: bool) -> None:
    with visitor(browser, site, 390, java_script_enabled=script) as (page, wrong):
        page.goto(f"{site}/qinglan/feeds/")
        page.locator("code").first.click()

        assert page.evaluate("getSelection().toString()") == "https://paper.example/qinglan/feeds/all.rss"
        assert page.locator("button.copy").first.is_visible() == script
        assert wrong == []


@pytest.mark.parametrize("clipboard", ["as https has it", "as http has it"])
def test_a_button_copies_a_feed_s_address_and_says_so(browser: Browser, site: str, clipboard: str) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visitor(browser, site, 1280, permissions=allowed) as (page, wrong):
        if clipboard == "as http has it":
            page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.goto(f"{site}/qinglan/feeds/")
        button = page.locator(".feed dl > div", has_text="section-yaowen.atom").get_by_role("button")
        assert button.inner_text() == "复制"

        button.focus()
        page.keyboard.press("Enter")

        address = "https://paper.example/qinglan/feeds/section-yaowen.atom"
        expect(page.get_by_role("status")).to_have_text(f"已复制 {address}")
        assert button.inner_text() == "已复制"
        page.locator("input[name=q]").focus()
        page.keyboard.press("Control+V")
        assert page.locator("input[name=q]").input_value() == address
        expect(button).to_have_text("复制")
        assert wrong == []


def test_where_nothing_may_be_copied_the_button_selects(browser: Browser, site: str) -> None:
    with visitor(browser, site, 1280) as (page, _):
        page.add_init_script(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
        )
        page.goto(f"{site}/qinglan/feeds/?lang=en")
        page.get_by_role("button", name="Copy").first.click()

        expect(page.get_by_role("status")).to_have_text(
            "Selected https://paper.example/qinglan/feeds/all.rss"
        )
        assert page.evaluate("getSelection().toString()") == "https://paper.example/qinglan/feeds/all.rss"


def test_colours_can_be_told_apart() -> None:
    css = (CHECKOUT / "templates/web/static/paper.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block))
        for block in re.findall(r":root \{([^}]*)\}", css)
    ]

    assert len(themes) == 3  # light, dark, print
    for theme in themes:
        for ground in ("paper", "sheet"):
            for text in ("ink", "soft", "red"):
                assert _contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)  # WCAG 2.2, 1.4.3


def _print_hard_issue(services: Services) -> None:
    """An issue that wants to break the page, on a day of its own; the newest stays the ordinary one."""
    nasty = [text for text in hostile.OWN if text.strip()]
    hard = article(
        1,
        headline=LONG,
        kicker=ENDLESS,
        subheads=(LONG,),
        series=LONG,
        editor_note=ENDLESS,
        byline=Byline((LONG, *nasty), (ENDLESS,)),
        paragraphs=(LONG, ENDLESS, *nasty),
        parts=(Part(LONG, ENDLESS, LONG, (ENDLESS,)),),
        captions=(LONG,),
        page_title=LONG[:200],
    )
    told = [article(2, headline="\n".join(nasty), kicker="<img src=//outside.example/x onerror=alert(1)>")]
    print_issue(services, hard, *told, day=DAYS[1])
    print_issue(services, FULL, article(2), LOST, article(6, headline=LONG, kicker=ENDLESS), day=DAYS[2])


def _more_pages(services: Services) -> tuple[str, ...]:
    data = services.settings.data
    (data / "quarantine" / LONG[:200]).write_text("x")
    (data / "quarantine" / f"{LONG[:200]}.reason.txt").write_text(ENDLESS)
    asked = subscribe(services.db, "pending@example.org", confirmed=False)
    reader = subscribe(services.db, f"{'w' * 60}@example.org")
    mine = f"/qinglan/mine/{services.tokens.manage(reader.id)}"
    mail_confirmations.run(services)
    (mail,) = (data / "outbox" / "new").iterdir()
    with store.reading(services.db) as db:
        hard = entries.of_issue(db, "qinglan", DAYS[1])
    return (
        "/qinglan/2026-11-17",
        *(e.path for e in hard),
        "/qinglan/subscribe?asked=1",
        f"/qinglan/confirm/{services.tokens.confirm(asked.id)}",
        f"/qinglan/leave/{services.tokens.leave(asked.id)}",
        mine,
        f"{mine}/delete",
        "/qinglan/digest/2026-11-16",
        "/desk",
        "/outbox",
        f"/outbox/{mail.name}",
        "/qinglan/feeds.opml",
        "/health",
    )


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""The site over a database and folders of its own, with three issues of one paper when asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.deliver.mailer import MaildirMailer
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.tokens import Tokens
from syndicate.jobs import publish
from syndicate.model import Article, Byline, Dateline, HeadlineSource, Jump, Kind, Part
from syndicate.services import Services
from syndicate.settings import load
from syndicate.web import create_app
from tests.samples import DAY, NOW, PAPER, article, ingest, issue, photo

SITE = "https://paper.example"
DAYS = (DAY, DAY + timedelta(days=1), DAY + timedelta(days=2))

FULL = Article(
    headline="蓝谷竹基新材料项目落户青岚",
    kicker="总投资6.8亿元 年产竹基餐具3万吨",
    subheads=("沈毅州会见企业负责人",),
    series="我在村里有份新工作",
    byline=Byline(("何晓楠", "郑文海"), ("吴丽君",), ("江照",), "本报讯（记者 何晓楠 郑文海）"),
    dateline=Dateline("青岚", DAY, "本报青岚11月16日电"),
    editor_note="开栏语：今天起，本报开设专栏。",
    paragraphs=("11月13日下午，项目正式落户。", "该项目总投资6.8亿元，规划用地112亩，分两期建设。"),
    parts=(
        Part("水龙头一响，我就得跑", "人物名片", "宫四海，1979年生。", ("我原先在城里给装修队铺水管。",)),
    ),
    captions=("图为签约现场。江照 摄",),
    page=1,
    page_title="要闻",
    jump=Jump(to_page=2, joined=True),
    section="yaowen",
)
LOST = article(
    4, headline=None, headline_source=HeadlineSource.DERIVED, page=2, page_title="综合", section="zonghe"
)
NOTICE = article(5, kind=Kind.NOTICE, page=2, page_title="综合", section="zonghe", headline="停电通知")


@pytest.fixture
def services(sqlite_template: Path, tmp_path: Path) -> Iterator[Services]:
    """Services without an issue yet; the clock stands at NOW."""
    data = tmp_path / "var"
    for name in ("inbox", "archive", "quarantine", "public"):
        (data / name).mkdir(parents=True)
    file = data / "syndicate.sqlite"
    shutil.copy(sqlite_template, file)
    settings = load({"SYNDICATE_DATA": str(data), "SYNDICATE_BASE_URL": SITE, "SYNDICATE_DEVELOPMENT": "yes"})
    engine = store.open_engine(settings.database_url, busy_timeout=0.2)
    yield Services(
        settings=replace(settings, publications=(PAPER,), books=False),
        db=engine,
        mailer=MaildirMailer(data / "outbox"),
        public=PublicFolder(data / "public"),
        tokens=Tokens("secret"),
        desk_password="käse",
        now=lambda: NOW,
    )
    engine.dispose()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    """A visitor of the site."""
    return create_app(services).test_client()


@pytest.fixture
def printed(services: Services) -> Services:
    """Three issues, published: the last one with everything an article can have."""
    for day in DAYS[:2]:
        print_issue(services, article(1), article(2), article(3, page=2), day=day)
    print_issue(services, FULL, article(2), photo(3), LOST, NOTICE, day=DAYS[2])
    publish.run(services)
    return services


@pytest.fixture
def front(printed: Services) -> FlaskClient:
    """A visitor of the site with its three issues."""
    return create_app(printed).test_client()


def print_issue(services: Services, *articles: Article, day: date = DAY) -> None:
    """Store an issue of these articles."""
    number = 4711 + (day - DAY).days
    ingest(services.db, issue(*articles, day=day, number=number), now=NOW + (day - DAY))


Page = Callable[[str], str]


@pytest.fixture
def page(front: FlaskClient) -> Page:
    """The text of a page that is there."""

    def text(address: str) -> str:
        answer = front.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status}"
        return answer.get_data(as_text=True)

    return text

"""One invented issue with everything an article can have: what the tests of rendering render."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from syndicate.model import (
    Article,
    Byline,
    Dateline,
    Digest,
    DigestSection,
    Entry,
    Feed,
    FeedKey,
    HeadlineSource,
    Jump,
    Kind,
    Part,
    Publication,
    Rhythm,
    Section,
    StoredIssue,
)
from syndicate.render import articles

BASE = "https://news.example"
DAY = date(2026, 11, 16)
PRINTED = datetime(2026, 11, 15, 22, 0, tzinfo=UTC)  # six in the morning in Shanghai

PAPER = Publication(
    slug="qinglan",
    title="青岚日报",
    title_en="Qinglan Daily",
    publisher="青岚县融媒体中心承办",
    host="qinglan.example",
    sections=(
        Section("yaowen", "要闻", "News", pages=(1,)),
        Section("wenti", "文体", "Culture and sport", page_titles=("文体",)),
        Section("zonghe", "综合", "General"),
    ),
)

ISSUE = StoredIssue(
    publication="qinglan",
    date=DAY,
    number=4127,
    weekday="星期一",
    lunar_date="农历丙午年十月初八",
    page_count=4,
    publisher="青岚县融媒体中心承办",
    pages=((1, None), (2, "要闻"), (4, "文体")),
    warnings=(),
    added=PRINTED + timedelta(minutes=20),
    updated=PRINTED + timedelta(minutes=20),
)

BRIDGE = Article(
    headline="青溪二桥今起试通车",
    kicker="两岸乡亲等了三十年",
    subheads=("石埠到县城缩短十一分钟", "骑车过桥有专道"),
    byline=Byline(
        ("何晓楠", "郑文海"), ("吴丽君",), ("丁禾",), raw="本报讯 (记者 何晓楠 郑文海 通讯员 吴丽君)"
    ),
    dateline=Dateline("青岚", date(2026, 11, 15), "本报青岚11月15日电"),
    editor_note="编者按：桥是路的一段，也是日子的一段。\n本报今起记录桥两头的变化。",
    paragraphs=(
        "清晨六点四十分，第一辆公交车驶上青溪二桥，车里坐着十九位去县城上早班的石埠人。桥面上还留着露水，司机把速度放得很慢。",
        "“先坐渡船，再等班车”",
        "没有桥的时候，石埠人进城要在渡口等二十分钟。遇上涨水封渡，学生只好绕道上游的老桥，一来一回多走十四公里。五十八岁的船工老贺说，他这辈子摆渡过的人，比全镇的人口还多。",
        "大桥全长四百二十六米，双向四车道，两侧各留出两米五宽的非机动车道。试通车期间，五吨以上货车暂不放行。",
    ),
    captions=("试通车后的青溪二桥。 丁禾 摄",),
    page=1,
    jump=Jump(to_page=2, raw=("(下转第二版)",)),
    section="yaowen",
)
DYKE = Article(
    headline="沙洲段堤防加固提前完工",
    headline_source=HeadlineSource.DERIVED,
    byline=Byline(("韦立新",)),
    paragraphs=(
        "记者从县水利局获悉，沙洲段堤防加固工程主体完工，比计划提前二十六天。",
        "新堤堤顶铺成四米宽的防汛路，也是村民的散步道。",
    ),
    page=1,
    section="yaowen",
)
SCHOOLS = Article(
    headline="两所山村小学的午饭",
    series="走乡记",
    byline=Byline(("梅若溪",)),
    parts=(
        Part(
            "高坞小学：菜是自己种的",
            "学校名片",
            "学生四十一人，教师七人",
            ("后山三分地，种着萝卜和青菜。每周三下午，高年级的孩子轮流浇水。",),
        ),
        Part("岭头小学：汤要热着端上来", None, None, ("山里风大，食堂阿姨用棉被裹住汤桶，一路小跑进教室。",)),
    ),
    page=2,
    page_title="要闻",
    section="zonghe",
)
PERSIMMONS = Article(
    headline="柿子红了 小院亮了",
    kind=Kind.PHOTO,
    byline=Byline(photographers=("丁禾",), raw="本报记者 丁禾摄"),
    paragraphs=("枫坪镇古楼村村民曹阿莲在自家院子里翻晒柿饼。",),
    page=2,
    page_title="要闻",
    section="zonghe",
)
FINAL = Article(
    headline="石埠队挺进乡村足球联赛决赛",
    kicker="点球大战6比5 守门员是个养蜂人",
    byline=Byline(("叶帆",), (), ("汪海涛",)),
    paragraphs=(
        "最后一个点球飞向右下角，守门员符大山扑出去，整个人摔进了泥里。看台上愣了一秒钟，随即锣鼓、脸盆和喇叭一起响了。",
    ),
    page=4,
    page_title="文体",
    section="wenti",
)
CARD = Article(
    headline=None,
    paragraphs=(
        "县图书馆清点旧档案时，工作人员发现，编号00037的借书证还在使用，这张证办于1985年，塑封已经换过三回。",
    ),
    jump=Jump(from_page=1),
    page=4,
    page_title="文体",
    section="wenti",
)
ARTICLES = (BRIDGE, DYKE, SCHOOLS, PERSIMMONS, FINAL, CARD)


def entry(article: Article, n: int) -> Entry:
    """The article as published, n-th of the issue."""
    moment = PRINTED - timedelta(seconds=article.page * 100 + n)
    return Entry(
        id=f"tag:qinglan.example,2026-11-16:qinglan/4127/{n}",
        publication="qinglan",
        date=DAY,
        page=article.page,
        n=n,
        section=article.section or "zonghe",
        article=article,
        fingerprint=f"{n:x}",
        published=moment,
        updated=moment,
    )


ENTRIES = tuple(entry(article, n) for n, article in enumerate(ARTICLES, 1))
# One was corrected after print.
ENTRIES = (ENTRIES[0], replace(ENTRIES[1], updated=PRINTED + timedelta(hours=3)), *ENTRIES[2:])

ALL = Feed(
    publication=PAPER,
    key=FeedKey("all", "all", "全部文章"),
    base_url=BASE,
    items=tuple(articles.item(e, PAPER, BASE) for e in ENTRIES),
    updated=PRINTED + timedelta(hours=3),
)


def digest(
    language: str = "zh-CN", rhythm: Rhythm = Rhythm.ISSUE, entries: tuple[Entry, ...] = ENTRIES
) -> Digest:
    """The issue as one mail."""
    issues = (
        (ISSUE,) if rhythm is Rhythm.ISSUE else (ISSUE, replace(ISSUE, date=date(2026, 11, 17), number=4128))
    )
    return Digest(
        publication=PAPER,
        rhythm=rhythm,
        issues=issues,
        sections=tuple(
            DigestSection(section, chosen)
            for section in PAPER.sections
            if (chosen := tuple(e for e in entries if e.section == section.slug))
        ),
        language=language,
        base_url=BASE,
    )

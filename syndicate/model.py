"""Every noun of the trade as a frozen value: nothing here reads a file, a clock or a setting."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from urllib.parse import quote, unquote, unquote_plus, urlsplit

# ── print: a document as the reader gave it ──────────────────────────────────────────────


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where something was printed: characters [start, end) of the document's source number `file`."""

    file: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file of an issue, decoded; `name` is for messages only, `page` the page its name tells, if any."""

    name: str
    text: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one issue as the reader gave it, file by file in reading order."""

    sources: tuple[Source, ...]


# ── print: an issue as it was split ──────────────────────────────────────────────────────


class Kind(StrEnum):
    """What a printed thing is; only articles and photos are published by default."""

    ARTICLE = "article"
    PHOTO = "photo"
    NOTICE = "notice"
    ADVERTISEMENT = "advertisement"
    INDEX = "index"


PUBLISHED_KINDS = (Kind.ARTICLE, Kind.PHOTO)


class HeadlineSource(StrEnum):
    """How the headline came to us: as printed, put together again, or taken from the lead."""

    PRINTED = "printed"
    RESTORED = "restored"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Byline:
    """Who wrote it. `raw` is the line as printed, the tuples hold bare names."""

    reporters: tuple[str, ...] = ()
    correspondents: tuple[str, ...] = ()
    photographers: tuple[str, ...] = ()
    raw: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name once, reporters first."""
        return tuple(dict.fromkeys((*self.reporters, *self.correspondents, *self.photographers)))


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where and when the report was filed: 本报北京5月2日电."""

    place: str | None = None
    date: date | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """An article that goes on elsewhere: 下转第二版 … 上接第一版."""

    to_page: int | None = None
    from_page: int | None = None
    raw: tuple[str, ...] = ()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One of several pieces under a common headline, with its own headline, label line and profile."""

    headline: str | None = None
    label: str | None = None
    profile: str | None = None
    paragraphs: tuple[str, ...] = ()


Spans = Mapping[str, tuple[tuple[Span, ...], ...]]
"""For each field of an article, for each item of the field, the places it was printed at."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article as it should be read: full-width punctuation, curly quotation marks, whole paragraphs."""

    headline: str | None
    headline_source: HeadlineSource = HeadlineSource.PRINTED
    kicker: str | None = None
    subheads: tuple[str, ...] = ()
    series: str | None = None
    byline: Byline = Byline()
    dateline: Dateline = Dateline()
    editor_note: str | None = None
    paragraphs: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    captions: tuple[str, ...] = ()
    kind: Kind = Kind.ARTICLE
    page: int = 1
    page_title: str | None = None
    jump: Jump = Jump()
    section: str | None = None
    confidence: float = 1.0
    warnings: tuple[str, ...] = ()
    spans: Spans = field(default_factory=dict)

    @property
    def series_name(self) -> str | None:
        """The series without the number of this part: 我在村里有份新工作 of 我在村里有份新工作②."""
        return _PART_NUMBER.sub("", self.series).strip() or self.series if self.series else None


_PART_NUMBER = re.compile(
    r"\s*(?:[①-⑳㈠-㈩]|[（(〔][一二三四五六七八九十\d]{1,3}[）)〕]|之[一二三四五六七八九十]{1,3})\s*$"
)


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """One page of a split issue: its number, its title (要闻), and which text of the source it covers."""

    number: int
    title: str | None
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Masthead:
    """What the paper says of itself; every field is None where the print does not tell."""

    publication: str | None = None
    publisher: str | None = None
    date: date | None = None
    weekday: str | None = None
    lunar_date: str | None = None
    number: int | None = None
    page_count: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """One day's paper, split. `furniture` is what was printed but is not news."""

    masthead: Masthead
    pages: tuple[PrintedPage, ...]
    articles: tuple[Article, ...]
    furniture: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


# ── a newspaper, as its TOML describes it ────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Section:
    """A heading a feed is made for, and the rules that put an article there.

    An article belongs to the first section with a matching rule: its page number is in `pages`,
    its page's title in `page_titles`, its series contains one of `series`, or its headline,
    kicker or lead contains one of `words`. The last section of a publication is the catch-all.
    """

    slug: str
    title: str
    title_en: str | None = None
    pages: tuple[int, ...] = ()
    page_titles: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()  # slugs it had before: their addresses lead here


@dataclass(frozen=True, slots=True)
class Publication:
    """A newspaper: how it is named in print, when it appears, how it is divided."""

    slug: str
    title: str
    title_en: str | None = None
    names: tuple[str, ...] = ()  # other spellings found in mastheads, pinyin included
    publisher: str | None = None
    language: str = "zh-CN"
    zone: str = "Asia/Shanghai"
    host: str = "localhost"  # authority of the ids (RFC 4151): never change it once published
    print_time: time = time(6, 0)
    print_days: tuple[int, ...] = (0, 1, 2, 3, 4)  # Monday is 0
    weekly_day: int = 5  # the day on which weekly digests go out
    sections: tuple[Section, ...] = ()
    # Not in its repr, which tells what feeds are made of: whom else we tell changes no feed.
    robots: tuple[Robot, ...] = field(default=(), repr=False)
    official_account: OfficialAccount | None = field(default=None, repr=False)
    relay_tokens: tuple[tuple[str, str], ...] = field(
        default=(), repr=False
    )  # bots' names, SHA-256 of tokens

    def section(self, slug: str) -> Section | None:
        """The section of that slug, if the paper has one."""
        return next((s for s in self.sections if s.slug == slug), None)

    def renamed(self, slug: str) -> Section | None:
        """The section that had that slug before."""
        return next((s for s in self.sections if slug in s.formerly), None)


# ── feed: what is stored and published ───────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """An issue as the store knows it. Key: (publication, date)."""

    publication: str
    date: date
    number: int | None
    weekday: str | None
    lunar_date: str | None
    page_count: int | None
    publisher: str | None
    pages: tuple[tuple[int, str | None], ...]  # (page number, its title), in order
    warnings: tuple[str, ...]
    added: datetime
    updated: datetime

    @property
    def path(self) -> str:
        """The issue's address on the site, e.g. /qinglan/2026-11-16."""
        return f"/{self.publication}/{self.date.isoformat()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as published: its id, address and `published` never change."""

    id: str  # tag:<host>,<issue date>:<publication>/<number>/<n>
    publication: str
    date: date
    page: int  # page and n make the permanent address; the page is the one first given
    n: int
    section: str
    article: Article  # without spans
    fingerprint: str
    published: datetime
    updated: datetime
    withdrawn: datetime | None = None

    @property
    def path(self) -> str:
        """The permanent address on the site, e.g. /qinglan/2026-11-16/1/3."""
        return f"/{self.publication}/{self.date.isoformat()}/{self.page}/{self.n}"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An article the ledger has not seen: what is to be written."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class ChangedEntry:
    """A known article whose content changed: the entry as it was and as it is to be written."""

    before: Entry
    after: Entry


@dataclass(frozen=True, slots=True)
class Revision:
    """What a split issue changes in the store; empty when the same issue comes twice."""

    new: tuple[NewEntry, ...] = ()
    changed: tuple[ChangedEntry, ...] = ()
    same: tuple[Entry, ...] = ()
    withdrawn: tuple[Entry, ...] = ()

    @property
    def empty(self) -> bool:
        """True when there is nothing to write."""
        return not (self.new or self.changed or self.withdrawn)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an item: the issue as a book, its cover."""

    url: str
    type: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a feed, ready for any format: texts are final, dates aware and UTC."""

    id: str
    url: str
    title: str
    summary: str  # plain text
    html: str  # full content, escaped
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime
    updated: datetime
    withdrawn: datetime | None = None
    enclosures: tuple[Enclosure, ...] = ()
    printed: Mapping[str, object] = field(default_factory=dict)  # what JSON Feed says beyond the standard


@dataclass(frozen=True, slots=True)
class FeedKey:
    """Which feed of a paper: `kind` is the word before the hyphen of its `name`, as in its address."""

    kind: str  # all, issues, corrections, section, page, byline, series, search
    name: str  # all, issues, corrections, section-<slug>, page-<number>, byline-<name>, series-<name>, search
    title: str  # for people: 全部文章, 要闻, 记者 金露茜 …

    def path(self, publication: str, form: str) -> str:
        """The feed's address, e.g. /qinglan/feeds/section-yaowen.rss, percent-encoded."""
        return f"/{publication}/feeds/{quote(self.name)}.{form}"


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as published: three formats are rendered from this one value."""

    publication: Publication
    key: FeedKey
    base_url: str  # scheme and host of the site, no trailing slash
    items: tuple[Item, ...]  # newest first; within an issue in page order
    updated: datetime
    month: str | None = None  # of a sealed archive page (RFC 5005 §4): 2026-10
    before: str | None = None  # the archive page before this one, by its month
    hub: str | None = None  # address of the WebSub hub
    query: str = ""  # of a search: what follows the ? in its address
    tombstones: tuple[tuple[str, datetime], ...] = ()  # ids of withdrawn entries, and since when (RFC 6721)

    def path(self, form: str) -> str:
        """Its own address on the site, percent-encoded."""
        if self.month:
            return self.archived(self.month, form)
        return self.key.path(self.publication.slug, form) + (f"?{self.query}" if self.query else "")

    def archived(self, month: str, form: str) -> str:
        """The address of its archive page of that month."""
        return f"/{self.publication.slug}/feeds/archive/{quote(self.key.name)}-{month}.{form}"


# ── mail ─────────────────────────────────────────────────────────────────────────────────


class Rhythm(StrEnum):
    """How often a subscriber wants mail."""

    ISSUE = "issue"
    WEEKLY = "weekly"
    CORRECTIONS = "corrections"  # only when something that was printed turns out wrong
    NONE = "none"


class SubscriptionState(StrEnum):
    """pending → confirmed → ended; only confirmed ones get mail."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a paper somebody wants: what fits any of these; with nothing chosen, all."""

    sections: tuple[str, ...] = ()
    bylines: tuple[str, ...] = ()  # names as in addresses
    series: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # searches: each of its words must stand in the article

    @property
    def everything(self) -> bool:
        """Whether it is the whole paper."""
        return not (self.sections or self.bylines or self.series or self.words)

    def wants(self, entry: Entry) -> bool:
        """Whether an article fits."""
        article = entry.article
        return (
            self.everything
            or entry.section in self.sections
            or any(address_part(name) in self.bylines for name in article.byline.names)
            or bool(article.series_name and address_part(article.series_name) in self.series)
            or (bool(self.words) and self._speaks(article))
        )

    def _speaks(self, article: Article) -> bool:
        told = (article.headline, article.kicker, article.series, article.byline.raw, *article.subheads)
        parts = (text for part in article.parts for text in (part.headline, *part.paragraphs))
        text = _plain(" ".join(filter(None, (*told, *article.paragraphs, *parts))))
        return any(all(word in text for word in _plain(search).split()) for search in self.words)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: what of a paper, how often, when, and in which language."""

    choice: Choice = field(default_factory=Choice)
    rhythm: Rhythm = Rhythm.ISSUE
    language: str = "zh-CN"  # or en
    weekly_day: int | None = None  # 0 (Monday) to 6; None: the paper's
    hour: int | None = None  # 0 to 23, from which mail may come; None: as soon as the issue is out
    zone: str | None = None  # of that hour; None: the paper's


class Fault(StrEnum):
    """Why something that was typed is not taken."""

    MALFORMED = "malformed"
    DISPOSABLE = "disposable"  # an address that is thrown away after one mail
    MIXED = "mixed scripts"  # letters that look like other letters
    UNKNOWN = "unknown"  # not among what may be chosen
    TOO_MANY = "too many"
    TOO_LONG = "too long"
    SAME = "the same"  # the address is the present one
    NOT_AHEAD = "not ahead"  # a day that has passed, or is more than a year away


@dataclass(frozen=True, slots=True)
class Subscription:
    """One address and one paper. Nothing chosen means the whole paper; else what fits any choice is sent."""

    id: int
    publication: str
    address: str
    sections: tuple[str, ...]
    rhythm: Rhythm
    language: str  # zh-CN or en
    state: SubscriptionState
    created: datetime
    confirmed: datetime | None = None
    ended: datetime | None = None
    bylines: tuple[str, ...] = ()  # names as in addresses
    series: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # searches
    weekly_day: int | None = None  # 0 (Monday) to 6; None: the paper's
    hour: int | None = None  # 0 to 23, from which mail may come; None: as soon as the issue is out
    zone: str | None = None  # of that hour; None: the paper's
    why: str | None = None  # it ended: left, moved, bounced, complained, operator, deleted
    paused_until: datetime | None = None
    source: str = "site"
    moving: str | None = None  # the address it is to move to, once that has agreed

    @property
    def choice(self) -> Choice:
        """What of the paper they want."""
        return Choice(self.sections, self.bylines, self.series, self.words)

    @property
    def wish(self) -> Wish:
        """All that they may change themselves."""
        return Wish(self.choice, self.rhythm, self.language, self.weekly_day, self.hour, self.zone)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a receiving domain takes from one sender; 0 is without limit."""

    per_second: float = 0.0  # messages
    connections: int = 0  # messages under way at the same time


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way."""

    number: int  # of the delivery, whatever it means to who sends it
    sender: str  # of the envelope
    recipient: str
    pieces: tuple[bytes, ...]  # as on the wire: CRLF, dots doubled, ends with CRLF, without the final dot


@dataclass(frozen=True, slots=True)
class Cast:
    """A message to one reader, not signed yet: its parts joined, with an empty line after the head, are its bytes."""

    fields: tuple[bytes, ...]  # of the head: each whole, its lines ending with CRLF
    body: tuple[bytes, ...]  # CRLF throughout; pieces that all casts of a mould share are the same objects
    plain: bool = (
        False  # neither signing nor sending changes the body: no blanks to squeeze, no line begins with a dot
    )


class Outcome(StrEnum):
    """What became of a letter."""

    TAKEN = "taken"
    LATER = "later"
    REFUSED = "refused"
    DOUBTFUL = "doubtful"  # no answer after its last byte: it may have been taken


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server said to a letter."""

    number: int
    outcome: Outcome
    said: str  # one line, at most 300 characters: host:port: 451 4.3.0 …
    code: int | None = None
    status: str | None = None  # RFC 3463: 4.3.0
    stage: str = ""  # connect, ehlo, starttls, auth, mail, rcpt, data, body


class DeliveryState(StrEnum):
    """due → claimed → sent; all others are final, but that a person may repeat a doubtful one."""

    DUE = "due"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"  # refused for good, or too often
    DOUBTFUL = "doubtful"  # the line broke between the message and the answer: it may have been taken
    BOUNCED = "bounced"  # taken, and came back
    VOID = "void"  # never sent, and need not be: nothing in it, cancelled, unsubscribed meanwhile, too late


@dataclass(frozen=True, slots=True)
class Delivery:
    """One digest to one subscriber; unique by (digest, subscription)."""

    id: int
    digest: int
    publication: str
    subscription: int
    address: str
    state: DeliveryState
    attempts: int
    not_before: datetime
    message_id: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A digest that was decided on: for one issue, or for a week ending on `last`."""

    id: int
    publication: str
    rhythm: Rhythm
    first: date  # issues of these days, both included; equal for an issue's digest
    last: date
    planned: datetime
    part: str = ""  # of several on one day: the moment of the newest correction
    held: str | None = None  # paused or cancelled
    said: str | None = None  # by the mail server, that made us pause it; None: a person did
    resumed: datetime | None = None  # when it was last let go on
    opens: datetime | None = None  # when it is ready
    reached: int | None = None  # deliveries are written up to that subscription; None: all are


class BounceKind(StrEnum):
    """What came back, and what it says of the address."""

    HARD = "hard"  # gone for good
    SOFT = "soft"  # full, refused, not now: no fault of the address, or not for ever
    COMPLAINT = "complaint"  # its reader called the mail unwanted


@dataclass(frozen=True, slots=True)
class Report:
    """A message that came back to the envelope sender, as far as it could be understood."""

    key: str  # SHA-256 of its bytes: the same report twice is one
    kind: (
        BounceKind | None
    )  # None: it changes nothing (a delay, a receipt, an automatic answer), or is no report
    understood: bool = True  # False: neither a report nor an automatic answer
    status: str | None = None  # RFC 3463: 5.1.1
    said: str = ""  # by the other server, one line
    sent_to: tuple[str, ...] = ()  # addresses that its own headers name
    quoted: tuple[str, ...] = ()  # addresses with a +, from there on, that stand anywhere in it
    letters: tuple[str, ...] = ()  # Message-IDs that it names, with angle brackets
    about: tuple[str, ...] = ()  # addresses that did not get the letter


@dataclass(frozen=True, slots=True)
class Bounce:
    """What came back of one letter, as it was recorded."""

    delivery: int | None  # None: a confirmation
    subscription: int | None
    kind: BounceKind
    status: str | None
    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that no paper writes to any more."""

    mailbox: str  # in lower case
    reason: str  # bounced, complained, operator
    said: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on the site, as a mail shows it; `alt` is read where it is not, empty where it only adorns."""

    url: str
    alt: str
    width: int  # pixels
    height: int


@dataclass(frozen=True, slots=True)
class Correction:
    """An article that was put right or taken back after it had been published."""

    headline: str
    path: str  # its permanent address on the site: of a withdrawn one, the page that says so
    printed: date
    at: datetime
    what: str = ""  # what was wrong, in one line, if it is known


@dataclass(frozen=True, slots=True)
class DigestSection:
    """A section as it stands in a digest, entries in the paper's order."""

    section: Section
    entries: tuple[Entry, ...]
    picture: Picture | None = None  # of its first entry


@dataclass(frozen=True, slots=True)
class Digest:
    """What one mail says, before it is addressed to anybody."""

    publication: Publication
    rhythm: Rhythm
    issues: tuple[StoredIssue, ...]
    sections: tuple[DigestSection, ...]
    language: str
    base_url: str
    corrected: tuple[Correction, ...] = ()  # since the last digest
    withdrawn: tuple[Correction, ...] = ()
    cover: Picture | None = None  # the front page of the (last) issue
    week: tuple[date, date] | None = None  # its first and last day, of a weekly one
    go_url: str | None = (
        None  # articles are linked through it, followed by 2026-11-16/1/3: clicks are counted
    )

    @property
    def empty(self) -> bool:
        """True when there is nothing to tell, and so nothing to send."""
        return not (any(s.entries for s in self.sections) or self.corrected or self.withdrawn)


@dataclass(frozen=True, slots=True)
class Envelope:
    """To whom one digest goes and what only that mail says: each text of it stands there as it is here."""

    address: str
    sender: str  # the From address
    message_id: str  # with angle brackets
    leave_url: str  # the page with the unsubscribe button; POST unsubscribes in one click (RFC 8058)
    date: datetime
    manage_url: str = ""  # the subscriber's own page; empty: there is none
    leave_mail: str = ""  # the address that unsubscribes who writes to it; empty: there is none


# ── pushing: robots of groups, drafts of an Official Account ─────────────────────────────


class RobotKind(StrEnum):
    """Whose group robot it is: 企业微信, 飞书, 钉钉."""

    WECOM = "wecom"
    FEISHU = "feishu"
    DINGTALK = "dingtalk"


class MessageForm(StrEnum):
    """How a message looks: cards with pictures, a list with links, or bare text."""

    NEWS = "news"
    MARKDOWN = "markdown"
    TEXT = "text"


class Grouping(StrEnum):
    """One message for an issue, or one for each article."""

    ISSUE = "issue"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Robot:
    """A group's robot. Who knows its address can write to the group: it is shown to nobody."""

    name: str
    kind: RobotKind
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)  # signs what is sent (Feishu, DingTalk)
    feed: str = "all"  # or section-<slug>
    form: MessageForm = MessageForm.NEWS
    each: Grouping = Grouping.ISSUE
    corrections: bool = True  # corrections and withdrawals are pushed, too

    @property
    def secrets(self) -> frozenset[str]:
        """All of the address that may be its key, as it stands there and decoded: whoever knows it can write."""
        parts = urlsplit(self.url)
        values = (pair.partition("=")[2] for pair in parts.query.split("&"))
        raw = (*values, *parts.path.split("/"), *parts.netloc.rpartition("@")[0].split(":"), parts.fragment)
        return frozenset(
            key for part in raw for key in (part, unquote(part), unquote_plus(part)) if len(key) > 5
        )

    @property
    def masked(self) -> str:
        """The address for people: host and the last four characters of its key, which is the longest word in it."""
        key = max(sorted(self.secrets), key=len, default="")
        return f"{urlsplit(self.url).hostname}/…{key[-4:] if len(key) >= 8 else ''}"

    @property
    def section(self) -> str | None:
        """The section that it is told of; None: the whole paper."""
        return self.feed.removeprefix("section-") if self.feed != "all" else None


@dataclass(frozen=True, slots=True)
class OfficialAccount:
    """An Official Account (公众号) in whose drafts each issue is put; a person publishes it."""

    appid: str
    secret: str = field(repr=False)
    author: str = ""  # of drafts; empty: the article's own byline
    title_limit: int = 32  # characters
    api: str = "https://api.weixin.qq.com"


ACCOUNT = "official-account"
"""The name under which the Official Account stands among a paper's robots."""


class PushKind(StrEnum):
    """What a message is about."""

    NEW = "new"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    DRAFT = "draft"
    TEST = "test"


class PushState(StrEnum):
    """due → claimed → handed → pushed; failed and doubtful wait for a person, dropped had nothing to say."""

    DUE = "due"
    CLAIMED = "claimed"
    HANDED = "handed"
    PUSHED = "pushed"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Push:
    """One message to one robot, or one draft."""

    id: int
    publication: str
    robot: str
    kind: PushKind
    date: date  # of the issue; of a test, the day it was asked for
    entries: tuple[str, ...]  # ids of the articles it tells of, in no order
    state: PushState
    attempts: int
    not_before: datetime
    touched: datetime
    said: str | None = None  # by the other side, or why it failed


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What a group is told, before it takes the shape of a message."""

    publication: Publication
    kind: PushKind
    issue: StoredIssue | None  # None: a test
    entries: tuple[Entry, ...]  # in the paper's order
    base_url: str


# ── the inbox ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file that could not be read, kept with its reason in one line."""

    name: str
    reason: str
    since: datetime


def _plain(text: str) -> str:
    """Text as it is compared: widths and case do not matter."""
    return unicodedata.normalize("NFKC", text).lower()


def address_part(name: str) -> str:
    """A name as one segment of an address and of a file name, the same for ever.

    Letters and digits of every script stay as they are, all else becomes a hyphen. Where that
    loses something, or the name is over 60 bytes (file names hold 255, ext4), six hexadecimal
    digits of its SHA-256 keep it apart from others.
    """
    plain = unicodedata.normalize("NFKC", name).strip()
    part = "-".join(re.findall(r"\w+", plain.lower()))  # İ in lower case is two characters, one no letter
    short = part.encode()[:60].decode(errors="ignore").strip("-")
    if short and short == plain:
        return short
    mark = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{short}-{mark}" if short else mark

"""The tables, as SQLAlchemy Core sees them today; the migrations say how they came about."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

HEAD = "0014"  # the newest migration; a test holds it against the folder

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A moment: aware and UTC outside; SQLite keeps it without a zone, so that text order is time order."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware to stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Stored to aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Lines(TypeDecorator[tuple[str, ...]]):
    """A tuple of strings, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        """A tuple to its JSON."""
        return None if value is None else canonical(list(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[str, ...] | None:
        """JSON to its tuple."""
        return None if value is None else tuple(json.loads(value))


class Grams(TypeDecorator[tuple[str, ...]]):
    """What search.py makes of a text, in order: spaced text for FTS5, a tsvector with positions in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """A tuple to what is indexed. Letters and digits only: nothing in a gram wants quoting."""
        if value is None or dialect.name == "sqlite":
            return None if value is None else " ".join(value)
        return " ".join(f"'{gram}':{at}" for at, gram in enumerate(value, 1) if gram != GAP)


GAP = "¶"  # between two texts of an article: no phrase reaches over it


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value, and that every database can hold."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _SURROGATES.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def storable(text: str) -> str:
    """The text without what PostgreSQL's text cannot hold: NUL and halves of surrogate pairs become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

metadata = MetaData(naming_convention=NAMES)

publications = Table(
    "publications",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("changed", Integer, nullable=False),  # counts the changes of what is published
    Column("published", Integer, nullable=False),  # the last of them that reached the public folder
    Column("made_of", Text),  # the configuration that the public files show
)

issues = Table(
    "issues",
    metadata,
    Column("publication", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("number", BigInteger),
    Column("weekday", Text),
    Column("lunar_date", Text),
    Column("page_count", BigInteger),
    Column("publisher", Text),
    Column("warnings", Lines, nullable=False),
    Column("added", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
)

pages = Table(
    "pages",
    metadata,
    Column("publication", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("title", Text),
    Column("text", LargeBinary),  # UTF-8; bytes, because a source may hold NUL
    ForeignKeyConstraint(["publication", "date"], ["issues.publication", "issues.date"]),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("publication", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("page", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("article", Text, nullable=False),  # canonical JSON, see articles.py
    Column("fingerprint", Text, nullable=False),
    Column("published", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("withdrawn", Moment),
    Column("corrected", Moment),  # when its text last changed after it was published
    Column(
        "changed", Integer, nullable=False, server_default="0"
    ),  # the paper's counter when the row was written
    ForeignKeyConstraint(["publication", "date"], ["issues.publication", "issues.date"]),
    UniqueConstraint("publication", "date", "page", "n"),
    Index(None, "publication", "published"),
    Index(None, "publication", "section", "published"),
    Index(None, "publication", "page", "published"),
    Index(None, "publication", "corrected"),
    Index(None, "publication", "changed"),
    # All that a feed asks of its entries, away from their texts, which take a page each.
    Index("ix_entries_listed", "id", "kind", "changed", "updated", "withdrawn", "date"),
)

names = Table(
    "names",
    metadata,
    Column("entry", Text, ForeignKey("entries.id"), primary_key=True),
    Column("kind", Text, primary_key=True),  # byline or series
    Column("part", Text, primary_key=True),  # the name in an address
    Column("name", Text, nullable=False),
    Column("publication", Text, nullable=False),
    Column("published", Moment),  # as the entry's, which never changes: feeds are read newest first
    CheckConstraint("kind IN ('byline', 'series')", name="kind"),
    Index(None, "publication", "kind", "part", "published"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("publication", Text, primary_key=True),
    Column("name", Text, primary_key=True),  # as in its address: all, section-yaowen, byline-何晓楠
    Column("title", Text, nullable=False),
    Column("changed", Integer, nullable=False),  # the paper's count when an entry in it last changed
    Column("published", Integer, nullable=False),  # the count that its public files show
)

feed_months = Table(
    "feed_months",
    metadata,
    Column("publication", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("month", Text, primary_key=True),  # 2026-11
    Column("changed", Integer, nullable=False),
    Column("archived", Integer, nullable=False),  # the count that the sealed page shows; 0: there is none
    Index(
        "ix_feed_months_behind",  # a few, of many thousands
        "publication",
        "month",
        sqlite_where=text("changed > archived"),
        postgresql_where=text("changed > archived"),
    ),
)

renderings = Table(
    "renderings",
    metadata,
    Column("item", Text, primary_key=True),  # id of an entry or an issue
    Column("made_of", Text, nullable=False),  # what it was rendered from; another value: render it anew
    Column("size", Integer, nullable=False),  # bytes of the whole item in the format in which it is largest
    Column("brief_size", Integer, nullable=False),
    Column("whole", LargeBinary, nullable=False),  # in every format, packed, see renderings.py
    Column("brief", LargeBinary, nullable=False),
)

# On SQLite an FTS5 table over this one, searchable_words, is kept by triggers (migration 0003).
searchable = Table(
    "searchable",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("entry", Text, ForeignKey("entries.id"), nullable=False),  # a very long article has several rows
    Column("publication", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("published", Moment, nullable=False),
    Column("grams", Grams, nullable=False),
    Index(None, "entry"),
    Index(None, "publication", "published", "entry", "section"),  # all that a search reads beside the grams
    Index(None, "grams", postgresql_using="gin", sqlite_where=text("number IS NULL")),  # empty on SQLite
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("publication", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("mailbox", Text, nullable=False),  # the address in lower case: one person, one subscription
    Column("sections", Lines, nullable=False),
    Column("bylines", Lines, nullable=False),  # names as in addresses
    Column("series", Lines, nullable=False),
    Column("words", Lines, nullable=False),  # searches, each as it is typed
    Column("rhythm", Text, nullable=False),
    Column("weekly_day", Integer),  # empty: the paper's
    Column("hour", Integer),  # of the day from which mail may come; empty: as soon as the issue is out
    Column("zone", Text),  # of that hour; empty: the paper's
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("confirmed", Moment),
    Column("ended", Moment),
    Column("why", Text),  # it ended: left, moved, bounced, complained, operator, deleted
    Column("paused_until", Moment),  # no mail is planned before
    Column("source", Text, nullable=False),  # site, or whence it was imported
    Column("moving", Text),  # the address that it is to move to, once that has agreed
    Column("ask_after", Moment),  # a confirmation mail is due from then on; empty when none is
    Column("asked", Moment),  # when one was last claimed
    Column("asks", Integer, nullable=False),  # how often one was tried since the last wish
    Column(
        "letters", Integer, nullable=False, server_default="0"
    ),  # such mails since the address last agreed
    Column("moves", Integer, nullable=False, server_default="0"),  # of these, to an address to be moved to
    Column("move_asked", Moment),  # when the last of those was claimed
    CheckConstraint("state IN ('pending', 'confirmed', 'ended')", name="state"),
    UniqueConstraint("publication", "mailbox"),
    Index(None, "state", "ask_after"),
    sqlite_autoincrement=True,  # ids stand in signed links: never a second time
)

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("publication", Text, nullable=False),
    Column("rhythm", Text, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("part", Text, nullable=False),  # of several on one day: the moment of a correction
    Column("planned", Moment, nullable=False),
    Column("held", Text),  # paused or cancelled, by a person or for what is `said`; empty: it goes out
    Column("said", Text),  # by the mail server, that made us pause it
    Column("resumed", Moment),  # when it was last let go on
    Column("opens", Moment),  # when it is ready
    Column("reached", Integer),  # deliveries are written up to that subscription; empty: all are
    UniqueConstraint("publication", "rhythm", "last", "part"),
    CheckConstraint("held IN ('paused', 'cancelled')", name="held"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Integer, ForeignKey("digests.id"), nullable=False),
    Column("subscription", Integer, ForeignKey("subscriptions.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("opens", Moment),  # when it was wanted: the date of its letter; empty: when its digest was planned
    Column("not_before", Moment, nullable=False),  # the same at first, later when it is tried again
    Column("touched", Moment, nullable=False),  # when it came into this state
    Column("message_id", Text, nullable=False),
    Column("domain", Text, nullable=False),  # of the address, in lower case: what limits count by
    Column("claim", Text),  # of the worker that has it
    Column("error", Text),
    CheckConstraint(
        "state IN ('due', 'claimed', 'sent', 'failed', 'doubtful', 'bounced', 'void')",
        name="state",
    ),
    UniqueConstraint("digest", "subscription"),
    UniqueConstraint("message_id"),
    # Of the few that are under way: the many that are sent are written once less for each that there is.
    Index(
        "ix_deliveries_due",  # in the order in which they are claimed
        "attempts",
        "not_before",
        "id",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(
        "ix_deliveries_claim",
        "claim",
        sqlite_where=text("claim IS NOT NULL"),
        postgresql_where=text("claim IS NOT NULL"),
    ),
    Index(
        "ix_deliveries_doubtful",
        "id",
        sqlite_where=text("state = 'doubtful'"),
        postgresql_where=text("state = 'doubtful'"),
    ),
    Index(None, "subscription"),
    sqlite_autoincrement=True,
)

resting = Table(
    "resting",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("rest", Float, nullable=False),  # seconds; twice as many if it refuses again
    Column("until", Moment, nullable=False),  # no letter goes there before
)

bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("report", Text, nullable=False),  # SHA-256 of what came back: the same report twice is one
    Column("delivery", Integer, ForeignKey("deliveries.id")),  # empty: the confirmation mail, or unknown
    Column("subscription", Integer, ForeignKey("subscriptions.id")),
    Column("kind", Text, nullable=False),
    Column("status", Text),  # RFC 3463: 5.1.1
    Column("said", Text, nullable=False),  # by the other server, one line
    Column("at", Moment, nullable=False),
    CheckConstraint("kind IN ('hard', 'soft', 'complaint')", name="kind"),
    UniqueConstraint("report"),
    Index(None, "subscription", "at"),
    Index(None, "delivery"),
    sqlite_autoincrement=True,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("mailbox", Text, primary_key=True),  # the address in lower case; it gets no mail of any paper
    Column("reason", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("since", Moment, nullable=False),
    CheckConstraint("reason IN ('bounced', 'complained', 'operator')", name="reason"),
)

clicks = Table(
    "clicks",
    metadata,
    Column("digest", Integer, ForeignKey("digests.id"), primary_key=True),
    Column("entry", Text, ForeignKey("entries.id"), primary_key=True),
    Column("count", Integer, nullable=False),  # without any address
)

tallies = Table(
    "tallies",
    metadata,
    Column("digest", Integer, ForeignKey("digests.id"), primary_key=True),
    Column("what", Text, primary_key=True),  # a state of deliveries that are not kept any more, or `left`
    Column("number", Integer, nullable=False),
)

hub_subscriptions = Table(
    "hub_subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("topic", Text, nullable=False),  # the feed's own address, as it names itself
    Column("callback", Text, nullable=False),
    Column("host", Text, nullable=False),  # of the callback: what limits count by, and all that logs name
    Column("secret", Text),  # signs what is sent; never logged or shown
    Column("expires", Moment),  # empty: never verified, nothing is sent
    Column("failures", Integer, nullable=False),  # deliveries that failed since the last one that did not
    Column("wish", Text),  # what was asked for and is not yet verified; empty: nothing
    Column("wish_topic", Text),  # the topic as it was written then: it is asked about in the same words
    Column("wish_secret", Text),
    Column("wish_lease", Integer),  # seconds
    Column("wish_attempts", Integer, nullable=False),
    Column("wish_after", Moment),  # it is verified from then on
    Column("challenge", Text),  # of the verification under way: who knows it has claimed the wish
    Column("asked", Moment),  # when the callback was last asked whether it agrees
    CheckConstraint("wish IN ('subscribe', 'unsubscribe')", name="wish"),
    UniqueConstraint("topic", "callback"),
    Index(None, "host"),
    Index(None, "wish_after"),
    Index(None, "asked"),
    Index(None, "expires"),
    sqlite_autoincrement=True,
)

hub_deliveries = Table(
    "hub_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscription", Integer, ForeignKey("hub_subscriptions.id", ondelete="CASCADE")),
    Column("topic", Text, nullable=False),  # without a subscription: an outside hub is told that it changed
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("claim", Text),  # of who is delivering it; empty: nobody
    Column("touched", Moment, nullable=False),  # when it came into this state
    Column("again", Boolean, nullable=False),  # the topic changed once more while it was being delivered
    UniqueConstraint("subscription"),
    Index(
        "uq_hub_deliveries_notice",
        "topic",
        unique=True,
        sqlite_where=text("subscription IS NULL"),
        postgresql_where=text("subscription IS NULL"),
    ),
    Index(None, "not_before"),
    sqlite_autoincrement=True,
)

relay_events = Table(
    "relay_events",
    metadata,
    # Who writes holds the one write lock, so what is committed later has the greater number.
    Column("seq", Integer, primary_key=True),
    Column("publication", Text, nullable=False),
    Column("entry", Text, ForeignKey("entries.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("section", Text, nullable=False),  # of the entry at that time
    Column("at", Moment, nullable=False),
    CheckConstraint("kind IN ('new', 'corrected', 'moved', 'withdrawn')", name="kind"),
    Index(None, "publication", "seq"),
    Index(None, "entry", "seq"),
    sqlite_autoincrement=True,
)

relay_names = Table(
    "relay_names",
    metadata,
    Column("publication", Text, primary_key=True),
    Column(
        "feed", Text, primary_key=True
    ),  # byline-何晓楠, series-…: of names that an entry has, or once had
    Column("entry", Text, ForeignKey("entries.id"), primary_key=True),
    Column("seq", Integer, nullable=False),  # the event since which it stood there
    Index(None, "entry"),
)

robots = Table(
    "robots",
    metadata,
    Column("publication", Text, primary_key=True),
    Column("robot", Text, primary_key=True),  # its name
    Column("seq", Integer, nullable=False),  # the last event that was looked at for it
)

pushes = Table(
    "pushes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("publication", Text, nullable=False),
    Column("robot", Text, nullable=False),
    Column("seq", Integer),  # the event that it began with; empty: a test
    Column("kind", Text, nullable=False),
    Column("date", Date, nullable=False),  # of the issue
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("touched", Moment, nullable=False),  # when it came into this state
    Column("tried", Moment),  # when it last went out: what the rate is counted by
    Column("said", Text),  # by the other side, or why it failed
    CheckConstraint("kind IN ('new', 'corrected', 'withdrawn', 'draft', 'test')", name="kind"),
    CheckConstraint(
        "state IN ('due', 'claimed', 'handed', 'pushed', 'failed', 'doubtful', 'dropped')", name="state"
    ),
    UniqueConstraint("publication", "robot", "kind", "seq"),
    Index(None, "state", "not_before"),
    Index(None, "publication", "robot", "tried"),
    sqlite_autoincrement=True,
)

push_entries = Table(
    "push_entries",
    metadata,
    Column("push", Integer, ForeignKey("pushes.id"), primary_key=True),
    Column("entry", Text, ForeignKey("entries.id"), primary_key=True),
    Index(None, "entry"),
)

account_tokens = Table(
    "account_tokens",
    metadata,
    Column("appid", Text, primary_key=True),
    Column("token", Text),  # a secret, good for two hours at most
    Column("expires", Moment, nullable=False),
    Column("renewing", Moment),  # since when somebody has been fetching another one
)

account_covers = Table(
    "account_covers",
    metadata,
    Column("appid", Text, primary_key=True),
    Column("picture", Text, primary_key=True),  # SHA-256 of it
    Column("media", Text, nullable=False),  # its media_id in the account
)

account_pictures = Table(
    "account_pictures",
    metadata,
    Column("appid", Text, primary_key=True),
    Column("picture", Text, primary_key=True),  # SHA-256 of it
    Column("address", Text, nullable=False),  # where the account shows it, the only one that drafts may name
)

"""What comes back, judged: is an address gone for good, and is it still written to. Values in, values out.

A status (RFC 3463) or a reply code (RFC 5321) says less than it promises: blocked senders, full mailboxes and unknown
users all come as 550. So the words count first, then the status, then the code; and where the words speak of both the
address and the sender, it is not the address's fault.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import Bounce, BounceKind

# So many in a row, without a digest that arrived between them, end a subscription, when the first and the last
# are so far apart: twice the 4 to 5 days for which servers try (RFC 5321 §4.5.4.1).
SOFT_BOUNCES = 4
SOFT_SPAN = timedelta(days=10)

DISABLED = "5.2.1"
LONGEST = 10_000  # characters that are looked at
STATUS = re.compile(r"(?<![\d.])([245])\.([0-7])\.(\d{1,3})(?![\d.]|-\d)")  # but no address of the net
CODE = re.compile(r"(?<![\d.=:/@+-])([45][0-5]\d)(?=[- ]|\Z|[:#])(?! *(?:bytes|[A-Z][a-z]{2} \d{4}))")


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a refusal is meant; `status` may be inferred from its words."""

    kind: BounceKind  # hard or soft
    status: str | None  # RFC 3463
    certain: bool = True  # False: nothing in it spoke; soft, to be gentle


def judged(said: str, *, status: str | None = None, code: int | None = None) -> Judgement:
    """What a server's refusal means for the address; `status` and `code` where they were told apart from its words."""
    exact, vague = _statuses(said, status)
    code = code or _code(said)
    text = _flat(said)
    address, other = _speaks(text, _ADDRESS), _speaks(text, _NOT_THE_ADDRESS)
    passing = None if address or other else _speaks(text, _PASSING)
    printed = next(iter(exact), vague)
    if (
        (printed or str(code or "")).startswith("4")
        or _SENDER.search(text)
        or _BAD_SENDER.intersection(exact)
    ):
        hard = False
    elif address and other:
        hard = bool(_SURELY.search(text)) or (bool(exact) and all(map(_gone, exact)))
    elif address or other:
        hard = bool(address)
    else:
        hard = bool(exact) and _gone(exact[0]) and not exact[0] == passing == DISABLED
    told = _specific(printed, address if hard else other or passing or address)
    return Judgement(
        BounceKind.HARD if hard else BounceKind.SOFT,
        told or (code and f"{code // 100}.0.0") or None,
        bool(told or code),
    )


def speaks(said: str) -> bool:
    """Whether there are words in it, or a status, that say more than that it failed."""
    text = _flat(said)
    known = (_ADDRESS, _NOT_THE_ADDRESS, _PASSING)
    return bool(_statuses(said, None)[0]) or any(_speaks(text, words) for words in known)


def ends(kind: BounceKind, bounces: Sequence[Bounce], arrived: int, now: datetime) -> bool:
    """Whether a subscription ends with the last of its bounces, which is of that kind.

    At once for a hard one and a complaint. For a soft one only when it is the last of so many in a row
    (SOFT_BOUNCES, SOFT_SPAN); `arrived`: the newest delivery before them that did not come back, 0 for none.
    Several reports of one delivery are one.
    """
    if kind is not BounceKind.SOFT:
        return True
    row: dict[int, datetime] = {}
    for bounce in bounces:
        if bounce.kind is BounceKind.SOFT and bounce.delivery and bounce.delivery > arrived:
            row.setdefault(bounce.delivery, bounce.at)
    return len(row) >= SOFT_BOUNCES and now - min(row.values()) >= SOFT_SPAN


def _speaks(text: str, words: Sequence[tuple[re.Pattern[str], str]]) -> str | None:
    return next((status for pattern, status in words if pattern.search(text)), None)


def _statuses(said: str, status: str | None) -> tuple[list[str], str | None]:
    """The statuses that say something, and one that does not."""
    found = [status] if status and STATUS.fullmatch(status) else []
    found += [match[0] for match in STATUS.finditer(said) if match[1] != "2"]
    vague = [one for one in found if one.endswith(".0.0")]
    return [one for one in found if one not in vague], next(iter(vague), None)


def _code(said: str) -> int | None:
    found = CODE.search(said)
    return int(found[1]) if found else None


def _gone(status: str) -> bool:
    """Bad mailbox, bad system, bad syntax, moved, no mail there (null MX), disabled: RFC 3463 §3.2 §3.3, RFC 7505."""
    return re.fullmatch(r"5\.(1\.(0|1|2|3|6|10)|2\.1)", status) is not None


def _specific(status: str | None, inferred: str | None) -> str | None:
    """The status as printed, unless it says nothing and the words say more."""
    if status is None or (inferred and status.endswith(".0.0")):
        return inferred if not (status and inferred) else status[0] + inferred[1:]
    return status


def _flat(text: str) -> str:
    """Words as they are looked for: one line, without addresses and hosts, in which anything may be written."""
    return " ".join(_WRITTEN_ADDRESS.sub(" ", text[:LONGEST]).split())


_WRITTEN_ADDRESS = re.compile(
    r"https?://\S+|<?[^\s<>\"'()@]{1,128}@[\w.-]{1,200}>?"
    r"|(?<![\w.-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,9}:\d+|(?<![\w.-])(?:[a-z0-9-]{1,63}\.){2,9}[a-z]{2,63}\b"
)

_BAD_SENDER = {"5.1.7", "5.1.8", "4.1.7", "4.1.8"}
_SENDER = re.compile(
    r"(?:after|reply to|respon\w+ to)(?: the)? (?:mail from|helo|ehlo|mail command)|from: domain is|valid from:",
    re.I,
)
_SURELY = re.compile(
    r"(?<!many )(?:user unknown|unknown user|user not found|no such (?:user|recipient)|address rejected: access denied)\b",
    re.I,
)


def _words(*said: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), status) for status, pattern in said)


_BOX = (
    r"(?:e?-?mail ?)?(?:users?(?:name|id)?|recipients?(?: address| name)?|mail ?box(?:es)?|accounts?"
    r"|(?:e-?mail )?address(?:es)?|alias|addressee|customer|maildrop|inbox|local[- ]part)"
)
_NOT_THERE = (
    r"(?:unknown|not (?:be )?found|not known|(?:does|do|did|could)(?:n.?t| not) (?:\w+ )?exist|not exist(?:ing)?|nonexist\w+"
    r"|non-exist\w+|invalid|not (?:a )?valid|no longer|not (?:listed|recogni[sz]ed|local|registered|present)"
    r"|isn.?t (?:known|listed|a valid)|unavailable|not available|not our|has left|no such|unroutable"
    r"|closed|terminated|(?:disabled or )?discontinued|deleted|removed|invalide)"
)
_USER = (
    rf"(?:{_BOX}(?: \W?[\w.\-]+\W?)?(?: name)?(?: is| was| has been| are|:|,|\.\.\.)?(?: been)? {_NOT_THERE}\b"
    rf"|(?:no|not a|unknown|invalid|bad|nonexistent|non-existent|undeliverable(?! (?:\w+ )?\w+ ?:)|illegal|improper|no valid|not our)"
    rf"(?: (?:such|or|illegal|valid|known|virtual|final|local|destination|delivery|mail|email))* {_BOX}\b(?!'s))"
)
_ADDRESS = _words(
    ("5.1.6", r"(?:has |have )moved\b|no forwarding address|no longer on server|not our (?:user|customer)"),
    ("5.1.2", r"(?:unknown|no such|bad|invalid|illegal)(?: destination)? (?:host|domain|(?:destination )?system)\b"),
    ("5.1.2", r"(?:host|domain)(?: or domain)?(?:/domain)?(?: name)? (?:\S+ )?(?:is |was )?(?:unknown|not found|invalid)"),
    ("5.1.2", r"(?:domain|host)(?: name)?(?: \S+)? does(?:n.?t| not) exist|nxdomain|unrout\w+ (?:mail )?(?:domain|address)"),
    ("5.1.3", r"address(?:es)? that were incorrectly constructed|bad (?:\w+ ){0,3}(?:mailbox|address) syntax|malformed address"),
    ("5.1.2", r"domain is not reachable"),
    ("5.1.2", r"couldn.?t (?:find|look up) (?:any host|a mail exchanger|the domain)|domain (?:\S+ )?couldn.?t be found|no mx (?:record )?found"),
    ("5.1.10", r"(?:host|domain|system)\S* (?:does(?:n.?t| not) |not )accept(?:ing)? (?:any )?(?:(?:e-?)?mail|network messages)|null ?mx|no smtp service"),
    ("5.1.1", _USER),
    ("5.1.1", r"no (?:mail ?box|one|person|users?|account)(?: here)? (?:by|with|of) (?:that|this) name|no mailbox here"),
    ("5.1.1", r"(?:does(?:n.?t| not)) have an? (?:\S+ )?account|recip\w*\.?not ?found|recipnotfound|address rejected\b(?!:)"),
    ("5.1.1", r"(?:couldn.?t|could not|can ?not|can.?t|unable to) (?:be )?f(?:i|ou)nd(?: the)? (?:address|user|recipient|account|mailbox)"),
    ("5.1.1", r"address couldn.?t be found|address not found|not listed in|recipient address rejected: access denied"),
    ("5.1.1", r"unknown (?:or illegal )?(?:alias|local)|(?:not|isn.?t) (?:an? )?(?:known|valid|active) (?:\w+ )?(?:user|account|address|recipient)"),
    ("5.1.1", r"there is no (?:user|one|such|account|mailbox)|wrong (?:e-?mail|recipient) address|address is wrong|no valid recipients?\b|adresse\b.{0,40}n.exist\w* pas\b"),
    ("5.1.1", r"no match(?:es)? (?:to nameserver query|(?:was |were )?(?:found )?in (?:the |our )?(?:\w+ )?directory)"),  # ph, LDAP
    ("5.1.1", r"(?:not have an?|no) final (?:e-?mail )?delivery (?:point|address)|(?<!from )(?<!ip )(?<!sender )address\b[^.;]{0,60} (?:did|does)(?:n.?t| not) (?:exactly )?match an?y? (?:\w+ ){0,3}(?:address|mailbox|user|account)\b"),
    ("5.1.1", r"(?:用户|用戶|使用者|收件人|收件者|收信人|邮箱|郵箱|信箱|账号|帐号|帳號|账户|帐户|帳戶|邮件?地址|郵件?地址|地址|email)[^。；;,，]{0,12}?(?:不存在|不正确|无效|無效|错误|錯誤|有误|已注销|已註銷|已删除|未找到|找不到|查无)"),
    ("5.1.1", r"(?:查无此|無此|无此|没有此|沒有此|没有该|没有这个|不存在(?:此|该|這個|这个)|找不到|无效的?|無效的?)(?:收件|用户|用戶|使用者|邮箱|郵箱|信箱|账|帐|帳|人|地址|邮件地址)"),
    ("5.1.2", r"(?:域名|网域|網域|主机|主機)[^。；;,，]{0,12}?(?:不存在|无法解析|無法解析|未找到|找不到|无效|無效)"),
)  # fmt: skip
_NOT_THE_ADDRESS = _words(
    ("5.2.2", r"(?:mail ?box|account|inbox|storage|user|recipient|maildir|folder)(?:'s)?\b.{0,40}\b(?:full|exceed\w*|over(?:drawn)?|insufficient|too (?:large|many messages))|over ?(?:the )?quota|overquota|quota\b|out of (?:storage|disk)|not enough (?:space|storage)|insufficient (?:disk|storage|system storage|space)|disk (?:full|space)|no space left|storage (?:space|allocation)|mailbox size limit|(?:mail ?box|disk|storage) space (?:is )?(?:not enough|exhausted)"),
    ("5.2.2", r"(?:邮箱|郵箱|信箱|空间|空間|容量|配额|配額|mailbox)[^。；;,，]{0,12}?(?:满|滿|不足|超出|超过|超過|超限|爆)|(?:超出|超过|超過)[^。；;,，]{0,8}(?:容量|配额|配額|空间|空間)"),
    ("5.3.4", r"(?:message|mail|size|letter)\b.{0,40}\b(?:too (?:big|large|long)|exceed\w*|larger than|over the (?:maximum|limit))|size limit|maximum (?:message|mail) size|(?:邮件|郵件|信件)[^。；;,，]{0,8}(?:太大|过大|過大)"),
    ("5.7.1", r"spam|junk|virus|malware|phish|blacklist|black list|blocklist|block list|blackhole|\brbl\b|dnsbl|spamhaus|barracuda|reputation|\bbanned\b|unsolicited|\bbulk\b|suspicious|complaint"),
    ("5.7.1", r"(?:message|mail|content|sender|connection|host|client|ip|server|you(?:r\b.{0,30})?|access)\b.{0,30}(?:\bblocked|\bdenied|\brefused|prohibited|\bnot (?:allowed|permitted|accepted|authori[sz]ed)|rejected (?:by|due|because|for)|content (?:rejected|denied))"),
    ("5.7.1", r"polic(?:y|ies)|not (?:authori[sz]ed|permitted|allowed)|prohibited|administrative|rejected for|security|access denied|denied by|\brelay(?:ing)?\b(?!=)|preferences|restrict"),
    ("5.7.1", r"垃圾|反垃圾|黑名单|黑名單|策略|拒收|拒絕接收|拒绝接收|内容(?:被拒|违规|拒绝|不合)|內容|违规|病毒|被拦截|被攔截|屏蔽|可疑"),
    ("5.7.0", r"\bspf\b|dkim|dmarc|authenticat|\bptr\b|reverse dns|reverse lookup|\brdns\b|\btls\b|certificate|encryption|forged|helo|ehlo"),
    ("5.1.8", r"sender (?:address|domain|verify)?|domain of sender|(?:after|reply to) (?:mail from|helo|ehlo|data|end of data)|return path|purported responsible|发件人|發件人|寄件"),
    ("4.7.1", r"gr[ea]y ?-?list|too many|\brates?\b|frequen|\blimit|throttl|try (?:again )?later|, try again|temporar|deferred|unexpected volume|too (?:fast|much)|exceeded"),
    ("4.7.1", r"频率|頻率|频繁|頻繁|限制|受限|稍后|稍後|暂时|暫時|临时|臨時|过快|過快"),
)  # fmt: skip
_PASSING = _words(
    ("5.2.1", r"(?:disabled|suspend|inactive|locked|frozen|blocked|dormant|deactivated|停用|冻结|凍結|锁定|鎖定|禁用)"),
    ("4.4.7", r"time[d ]?-?out|expire|too (?:long|old)|could not be delivered (?:for|within)|retry|attempts|for the last|connection (?:refused|lost|reset|closed|dropped|died)|unreachable|no route|unable to connect|not (?:been )?respond|(?:did|does)(?:n.?t| not) respond|超时|超時|连接失败|连接被"),
    ("5.4.6", r"loop|too many hops|hop count"),
    ("4.4.3", r"name ?server|dns\b|lookup"),
    ("5.3.0", r"system (?:error|problem|config)|internal|local (?:configuration|problem)|disk|i/o error|resources|unexpected"),
    ("5.5.0", r"syntax|protocol|not implemented|bad sequence|unrecogni[sz]ed"),
    ("5.6.0", r"\bcontent|\bmime\b|\bformat|conversion|line too long"),
)  # fmt: skip

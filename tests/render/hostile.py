"""Texts that want to do harm: our own few, and the public collections when they lie beside the project."""

from __future__ import annotations

import json
import os
from pathlib import Path

_SHARED = Path(
    os.environ.get("SYNDICATE_SHARED", Path(__file__).parents[2].parent / "shared")  # noqa: TID251  # tests may
)

OWN = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<b>粗</b>标题",
    "x]]>y<![CDATA[z",
    "&amp; &lt;b&gt; &#60;script&#62; &nbsp &copy",
    "</title></item><item>",
    "<!-- 注释 --><?xml version='1.0'?><!DOCTYPE x>",
    "=?utf-8?q?Hi=0ABcc:_x@y.example?=",
    "标题\r\nBcc: victim@example.com",
    "标题\nSubject: 假",
    "\u202e倒着写\u2066的字",
    "零\x00控\x08制\x0c符\x1b[31m号\x7f\x85",
    "\ud800孤\udfff儿",
    "末\ufffe尾\uffff\U0001ffff",
    "{{ 7 * 7 }}{% raw %} {} {0} %s %(x)s",
    "javascript:alert(1)",
    "e\u0301\u0301\u0301 👨‍👩‍👧‍👦 🇨🇳",
    "",
    " \u3000\t\n",
)


def texts(*, payloads: bool = True) -> tuple[str, ...]:
    """Each hostile text once; the thousands of payloads only where they are quickly tried."""
    found = list(OWN)
    naughty = _SHARED / "hostile/naughty-strings/blns.json"
    if naughty.is_file():
        found += json.loads(naughty.read_text())
    lists = (
        "hostile/xss-payload-list/Intruder__xss-payload-list.txt",
        "hostile/crlf-openredirect/CRLF Injection__Files__crlfinjection.txt",
    )
    for file in (_SHARED / name for name in lists if payloads):
        if file.is_file():
            found += file.read_text(errors="replace").splitlines()
    return tuple(dict.fromkeys(found))

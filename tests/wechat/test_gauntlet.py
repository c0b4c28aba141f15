"""No message is refused and none is cut, whatever stands in the articles. All 10 000: python -m bench.wechat."""

from __future__ import annotations

from tests.wechat import gauntlet
from tests.wechat.generated import articles
from tests.wechat.loopback import wechat


def test_nothing_is_refused_and_nothing_cut() -> None:
    with wechat() as group:
        passed = gauntlet.run(group, articles(100))

    assert (passed.articles, passed.messages, passed.drafts) == (100, 336, 20)
    assert passed.forwarded == 100 * (3 + 3 + 2)
    assert passed.refused == 0, passed.answers
    assert (passed.cut, passed.unlinked) == (0, 0)


def test_the_loopback_notices_what_is_too_long() -> None:
    """Else the test above would prove nothing."""
    with wechat() as group:
        assert (
            group.answer("/cgi-bin/webhook/send", {"key": "wecom-k3y-7f3a"}, _markdown(4097), "")["errcode"]
            == 40058
        )
        assert (
            group.answer("/cgi-bin/webhook/send", {"key": "wecom-k3y-7f3a"}, _markdown(4096), "")["errcode"]
            == 0
        )
        news = b'{"msgtype":"news","news":{"articles":[{"title":"' + b"x" * 129 + b'","url":"https://a/"}]}}'
        assert group.answer("/cgi-bin/webhook/send", {"key": "wecom-k3y-7f3a"}, news, "")["errcode"] == 0
        text = b'{"msgtype":"text","text":{"content":"' + b"x" * 2049 + b'"}}'
        assert group.answer("/cgi-bin/webhook/send", {"key": "wecom-k3y-7f3a"}, text, "")["errcode"] == 0

    assert len(group.cut) == 2
    assert len(group.shown[-1].body["text"]["content"]) == 2048


def _markdown(size: int) -> bytes:
    return b'{"msgtype":"markdown","markdown":{"content":"' + b"x" * size + b'"}}'

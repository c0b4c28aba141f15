"""10 000 generated articles to the loopback WeChat: how many messages are refused, how many cut."""

from __future__ import annotations

import time

from tests.wechat import gauntlet
from tests.wechat.generated import articles
from tests.wechat.loopback import wechat

COUNT = 10_000


def main() -> None:
    began = time.perf_counter()
    with wechat() as group:
        passed = gauntlet.run(group, articles(COUNT))
    seconds = time.perf_counter() - began
    print(
        f"{passed.articles} articles, {passed.messages} messages of robots, {passed.forwarded} of the relay, "
        f"{passed.drafts} drafts, {seconds:.0f} s"
    )
    print(f"refused {passed.refused}, cut {passed.cut}, without a link {passed.unlinked}")
    for said, count in passed.answers.most_common(5):
        print(f"  {count:>7}  {said}")


if __name__ == "__main__":
    main()

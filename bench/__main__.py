"""Run every figure: python -m bench [name …]."""

from __future__ import annotations

import importlib
import sys

FIGURES = ("split", "publish", "serve", "mail", "digests", "bounces", "kills", "relay", "wechat")

for name in sys.argv[1:] or FIGURES:
    print(f"\n── {name} ──", flush=True)
    importlib.import_module(f"bench.{name}").main()

"""Run every figure, each in a process of its own, so that none pays for what another left: python -m bench [name …]."""

from __future__ import annotations

import subprocess
import sys

FIGURES = ("split", "publish", "serve", "mail", "digests", "bounces", "kills", "relay", "wechat")

for name in sys.argv[1:] or FIGURES:
    print(f"\n── {name} ──", flush=True)
    if failed := subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
        sys.exit(failed)

"""Real newspapers beside the checkout: other people's texts, measured with when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def shared(path: str) -> Path:
    """A folder or file of ../shared (or of SYNDICATE_SHARED); the test is skipped without it."""
    base = Path(os.environ.get("SYNDICATE_SHARED") or _ROOT.parent / "shared")  # noqa: TID251  # tests have no settings
    if not (base / path).exists():
        pytest.skip(f"{base / path} is not there")
    return base / path

"""What the tests of pictures and PDF need: a font that can draw Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate.deliver import fonts
from tests.conftest import optional


@pytest.fixture(scope="session")
def installed() -> tuple[Path, ...]:
    """The fonts of this machine."""
    found = fonts.installed()
    if found is None:
        optional("no font for Chinese is installed (Debian: fonts-noto-cjk)")
    return found or ()

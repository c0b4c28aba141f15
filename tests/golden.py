"""Golden files: what was rendered is held against a file; `pytest --golden` writes the file anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[str, bytes], None]
"""golden("feeds/all.atom", body) holds the bytes against tests/golden/feeds/all.atom."""

_FOLDER = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew; then read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    rewrite = bool(request.config.getoption("--golden"))

    def hold(name: str, body: bytes) -> None:
        file = _FOLDER / name
        if rewrite:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        assert file.is_file(), f"{name} is missing: make golden"
        assert body.decode() == file.read_bytes().decode(), f"{name} differs: make golden, and read the diff"

    return hold

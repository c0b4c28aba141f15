"""Whether the site answers, as readers reach it."""

from __future__ import annotations

import requests

TIMEOUT = 5.0  # seconds: a person waits for the answer


def fault(base_url: str) -> str | None:
    """What is wrong with the site at that address, in a few words; None when it answers."""
    try:
        answer = requests.get(f"{base_url}/health", timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as e:
        return f"does not answer ({type(e).__name__})"
    return None if answer.ok else f"answers {answer.status_code}"

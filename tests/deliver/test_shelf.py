"""What is kept in memory."""

from __future__ import annotations

from syndicate.deliver.shelf import Shelf


def test_what_was_unused_longest_makes_room() -> None:
    shelf: Shelf[str] = Shelf(room=10)
    shelf.put("a", "first", 4)
    shelf.put("b", "second", 4)

    assert shelf.find("a") == "first"
    shelf.put("c", "third", 4)

    assert shelf.find("b") is None
    assert shelf.find("a") == "first"
    assert shelf.find("c") == "third"


def test_what_is_put_again_takes_its_room_once() -> None:
    shelf: Shelf[str] = Shelf(room=10)

    for _ in range(9):
        shelf.put("a", "x", 8)
    shelf.put("b", "y", 2)

    assert shelf.find("a") == "x"
    assert shelf.find("b") == "y"

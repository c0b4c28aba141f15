"""Letters whose signing takes long are signed by other threads, in lots, while one speaks with the mail server.

With a key of RSA that takes longer than all else that is done for a letter; with Ed25519 the threads would wait for each
other longer than it takes.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from syndicate.deliver.dkim import Signatures, Signer, Unsigned
from syndicate.model import Cast, Letter

LOT = 16  # letters that are signed together
AHEAD = 128  # letters that are made before they can go out
THREADS = 2
SOON = 0.0005  # seconds after which one may have been signed

_Letter = tuple[int, str, str, Unsigned]  # a Letter's number, sender and recipient, and what it says
_Lot = list[_Letter]


class Signing:
    """Letters go in and come out signed, in the same order; its threads last for a `with`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._thread = ThreadPoolExecutor(THREADS, thread_name_prefix="signing") if signer.slow else None
        self._most = AHEAD if signer.slow else 1
        self._lot: _Lot = []
        self._under_way: deque[tuple[_Lot, Future[list[Signatures]]]] = deque()
        self._ready: deque[Letter] = deque()
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted before one is taken out."""
        return self._count >= self._most

    @property
    def empty(self) -> bool:
        """Whether there is none inside."""
        return not self._count

    def add(self, number: int, sender: str, recipient: str, cast: Cast) -> None:
        """Another one is to be signed."""
        self._count += 1
        if self._thread is None:
            self._ready.append(Letter(number, sender, recipient, self._signer.signed(cast)))
            return
        self._lot.append((number, sender, recipient, self._signer.unsigned(cast)))
        if len(self._lot) == LOT:
            self.hasten()

    def hasten(self) -> None:
        """No other comes soon: those inside are signed without waiting for it."""
        if self._lot and self._thread is not None:
            texts = [unsigned for _, _, _, unsigned in self._lot]
            self._under_way.append((self._lot, self._thread.submit(_signatures, texts)))
            self._lot = []

    def next(self) -> Letter | float:
        """The next letter, or the seconds after which there may be one."""
        if not self._ready and self._under_way and self._under_way[0][1].done():
            lot, signed = self._under_way.popleft()
            for (number, sender, recipient, unsigned), made in zip(lot, signed.result(), strict=True):
                self._ready.append(Letter(number, sender, recipient, unsigned.signed(made)))
        if not self._ready:
            return SOON
        self._count -= 1
        return self._ready.popleft()

    def __enter__(self) -> Signing:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends its threads; what is inside is lost."""
        if self._thread is not None:
            self._thread.shutdown()


def _signatures(lot: list[Unsigned]) -> list[Signatures]:
    return [letter.signatures() for letter in lot]

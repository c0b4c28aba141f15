"""Letters are signed by another process, in lots, while this one speaks with the mail server.

Hashing and signing is a third of what is done for a letter, with a key of RSA more than half. For a few letters the
process is not worth its start. Until it is there letters are signed here, and so is what it left when it is gone.
"""

from __future__ import annotations

import logging
from collections import deque
from types import TracebackType

from syndicate.deliver.dkim import Signatures, Signer, Unsigned
from syndicate.deliver.signatory import Signatory, SignatoryError
from syndicate.model import Cast, Letter

MANY = 200  # letters, for which the process is started
LOT = 32  # letters that are signed together
AHEAD = 128  # letters that are made before they can go out
SOON = 0.0005  # seconds after which one may have been signed

log = logging.getLogger(__name__)

_Letter = tuple[int, str, str, Unsigned]  # a Letter's number, sender and recipient, and what it says
_Lot = list[_Letter]


class Signing:
    """Letters go in and come out signed, in the same order; its process lasts for a `with`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._signatory: Signatory | None = None
        self._lot: _Lot = []
        self._asked: deque[_Lot] = deque()
        self._ready: deque[Letter] = deque()
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted before one is taken out."""
        return self._count >= (AHEAD if self.beside else 1)

    @property
    def empty(self) -> bool:
        """Whether there is none inside."""
        return not self._count

    @property
    def beside(self) -> bool:
        """Whether the other process signs."""
        return self._there() is not None

    def expect(self, count: int) -> None:
        """So many come: for many, the process is started, while the first of them is made."""
        if count < MANY or self._signatory is not None or not self._signer.keys:
            return
        try:
            self._signatory = Signatory(self._signer)
        except SignatoryError as e:
            self._alone(e)

    def add(self, number: int, sender: str, recipient: str, cast: Cast) -> None:
        """Another one is to be signed."""
        self._count += 1
        self._lot.append((number, sender, recipient, self._signer.unsigned(cast)))
        if len(self._lot) == LOT or not self.beside:
            self.hasten()

    def hasten(self) -> None:
        """No other comes soon: those inside are signed without waiting for it."""
        lot, self._lot = self._lot, []
        if not lot:
            return
        signatory = self._there()
        if signatory is None:
            self._sign(lot)
            return
        self._asked.append(lot)
        try:
            signatory.ask([unsigned for _, _, _, unsigned in lot])
        except SignatoryError as e:
            self._alone(e)

    def next(self) -> Letter | float:
        """The next letter, or the seconds after which there may be one."""
        if not self._ready and self._asked and self._signatory:
            try:
                signed = self._signatory.answer()
            except SignatoryError as e:
                self._alone(e)
            else:
                if signed is not None:
                    self._join(self._asked.popleft(), signed)
        if not self._ready:
            return SOON
        self._count -= 1
        return self._ready.popleft()

    def _there(self) -> Signatory | None:
        """The other process, if it has started and has not ended so far as is known."""
        try:
            return self._signatory if self._signatory is not None and self._signatory.there else None
        except SignatoryError as e:
            self._alone(e)
            return None

    def _alone(self, error: SignatoryError) -> None:
        """Go on without the other process."""
        log.warning("letters are signed by the process that sends them: %s", error)
        self._close()
        while self._asked:
            self._sign(self._asked.popleft())

    def _sign(self, lot: _Lot) -> None:
        self._join(lot, [unsigned.signatures() for _, _, _, unsigned in lot])

    def _join(self, lot: _Lot, signed: list[Signatures]) -> None:
        for (number, sender, recipient, unsigned), made in zip(lot, signed, strict=True):
            self._ready.append(Letter(number, sender, recipient, unsigned.signed(made)))

    def _close(self) -> None:
        if self._signatory is not None:
            self._signatory.close()
        self._signatory = None

    def __enter__(self) -> Signing:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends its process; what is inside is lost."""
        self._close()

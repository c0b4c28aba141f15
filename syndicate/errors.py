"""Everything that can go wrong and that a person can mend.

SyndicateError
├── SettingsError       a setting or a publication's file is wrong; names file and key
├── SourceError         where issues come from did not answer; names the address
├── ReadError           bytes that are not an issue; names the file and, where known, the page
├── IssueError          text that is an issue of no known paper, or contradicts itself; names the file
├── RenderError         a value cannot be made into a book or a picture; names what is in the way
├── StoreError          the database refused (locked, full, unreachable); names its address
└── DeliveryError       a mail server or robot refused; `permanent` says whether to try again
    └── DoubtfulDeliveryError   it may have been taken: a person decides, the machine does not repeat

The message is one line, complete in itself: the command line prints it, quarantine keeps it.
"""


class SyndicateError(Exception):
    """The root: what the command line turns into one line and exit code 1."""


class SettingsError(SyndicateError):
    """A setting is unknown, missing or malformed."""


class SourceError(SyndicateError):
    """A place where issues come from could not be read."""


class ReadError(SyndicateError):
    """Bytes could not be read as text of an issue."""


class IssueError(SyndicateError):
    """A document was read, but is not an issue that this service can publish."""


class RenderError(SyndicateError):
    """A value could not be made into a book or a picture."""


class StoreError(SyndicateError):
    """The database could not do what was asked; nothing was written."""


class DeliveryError(SyndicateError):
    """A message was not accepted. `permanent`: trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class DoubtfulDeliveryError(DeliveryError):
    """The connection was lost after the message and before the answer: it may have been taken."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)

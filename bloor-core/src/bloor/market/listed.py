"""Lists of instruments as venues give them: read from a file, each entry with an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bloor.errors import BloorError, InputFileError, MoneyError, RemoteProtocolError
from bloor.model.instrument import Instrument

__all__ = ["checked", "read_list"]


def read_list(path: Path, parse: Callable[[bytes], Sequence[Instrument]], expected: str) -> Sequence[Instrument]:
    """The instruments of a file that holds an answer of a venue.

    Args:
        path: The file.
        parse: Reads the answer; raises RemoteProtocolError.
        expected: What the file should hold, for the error: ``"Binance's exchangeInfo"``.

    Raises:
        InputFileError: The file cannot be read or is no such answer.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}") from None
    except RemoteProtocolError as error:
        raise InputFileError(str(path), f"expected {expected}: {error}") from None


def checked(kind: str, name: str, make: Callable[[], Instrument]) -> Instrument:
    """The instrument of one entry.

    Args:
        kind: Kind of list.
        name: What the entry is of, or its place in the list.
        make: Makes the instrument.

    Raises:
        RemoteProtocolError: It is wrong; the message names kind, entry and field.
    """
    try:
        instrument = make()
        instrument.check()
    except MoneyError as error:
        raise RemoteProtocolError(f"{kind}: {name}: {error}") from None
    except BloorError as error:
        raise RemoteProtocolError(f"{name}: {error}") from None
    except ValueError as error:  # what the instrument itself refuses
        raise RemoteProtocolError(f"{kind}: {name}: {error}") from None
    return instrument

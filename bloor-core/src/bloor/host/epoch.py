"""The epoch: a number that grows with every start on this host, so that no client order id is ever made twice.

It lives in a file of the user's state folder (``$BLOOR_STATE``, else ``$XDG_STATE_HOME/bloor``, else
``~/.local/state/bloor``), raised under a file lock and written durably before it is used. It is never less than the
number of ten minutes since 2026 began: where the file is lost, or the folder is another one, ids still do not repeat,
as long as starts are ten minutes apart on average.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from bloor.errors import UsageError

__all__ = ["next_epoch", "state_folder"]

#: Four base-36 digits of a client order id: enough until 2057.
EPOCHS = 36**4
#: 2026-01-01 UTC, and ten minutes, ns.
BEGIN_NS = 1_767_225_600_000_000_000
STEP_NS = 600_000_000_000


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where bloor keeps what outlives a run."""
    if own := environ.get("BLOOR_STATE"):
        return Path(own)
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "bloor"


def next_epoch(folder: Path, wall_ns: int) -> int:
    """Raises the epoch and returns it; two processes never get the same one.

    Args:
        folder: Where it is kept.
        wall_ns: The time, ns.

    Raises:
        UsageError: The folder cannot be written, or the file does not hold a number.
    """
    path = folder / "epoch"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read().strip()
            if text and not text.isdigit():
                raise UsageError(
                    f"{path}: expected the number of the last epoch, got {text[:20]!r}; "
                    "write the highest epoch ever used into it (client order ids depend on it)"
                )
            epoch = max(int(text or b"0") + 1, (wall_ns - BEGIN_NS) // STEP_NS)
            if epoch >= EPOCHS:
                raise UsageError(
                    f"{path}: epoch {epoch} does not fit a client order id any more; use another node number"
                )
            file.seek(0)
            file.truncate()
            file.write(b"%d\n" % epoch)
            file.flush()
            os.fsync(file.fileno())
            return epoch
    except OSError as error:
        raise UsageError(
            f"{path}: cannot raise the epoch ({error.strerror}); set BLOOR_STATE to a folder that can be written"
        ) from error

"""What a peer's process does: it reads a file of messages once, then measures one round for each line it is sent.

A line is the name of a kind of message. A round gives the peer a snapshot and then every message of that kind, one
after the other, and answers with the ns a message and the best bid at the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time_ns

Round = Callable[[str, list[str]], tuple[int, str]]


def serve(make_round: Round) -> None:
    """Answers until the input ends.

    Args:
        make_round: Takes the snapshot and the messages; gives the ns of all messages and the best bid afterwards.
    """
    kinds = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("ready", flush=True)
    for line in sys.stdin:
        frames = kinds[line.strip()]
        took, top = make_round(frames[0], frames[1:])
        print(json.dumps([took / (len(frames) - 1), top]), flush=True)


def clock() -> int:
    """CPU time of this process in ns."""
    return process_time_ns()

"""Work in a thread of its own, and this thread waits for it: an event loop that runs here already is no matter."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from bloor.cli.logs import instead_of_default
from bloor.errors import BloorError, RunError

__all__ = ["Work", "bloor_errors"]

T = TypeVar("T")

#: How often this thread looks up from waiting, seconds.
LOOK_S = 0.2


class Work(Generic[T]):
    """A function that runs in a thread until it returns, or is asked to end.

    Args:
        function: What is to be done.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._thread = threading.Thread(target=self._work, name="bloor", daemon=True)
        self._result: T
        self._error: BaseException | None = None
        self._stop: Callable[[], object] | None = None
        self._asked = False
        self._lock = threading.RLock()

    def stoppable(self, stop: Callable[[], object]) -> None:
        """Called by the work, once it can be ended by ``stop``."""
        with self._lock:
            self._stop = stop
            asked = self._asked
        if asked:
            self.stop()

    def stop(self) -> None:
        """Asks the work to end in order; it may still take some seconds."""
        with self._lock:  # one that a signal handler may enter again
            self._asked = True
            stop = self._stop
        if stop is not None:
            with contextlib.suppress(RuntimeError):  # its event loop is closed: it has ended
                stop()

    def wait(self, look: Callable[[], None] = lambda: None) -> T:
        """Starts it and waits for its end. Ctrl-C, an interrupt of a notebook's kernel and SIGTERM ask it to end.

        Args:
            look: Called in this thread a few times a second.

        Raises:
            BaseException: What the work raised.
        """
        with _signals(self.stop):
            self._thread.start()
            while self._thread.is_alive():
                try:
                    self._thread.join(LOOK_S)
                    look()
                except KeyboardInterrupt:  # where signals are not ours to catch
                    self.stop()
        if self._error is not None:
            raise self._error
        return self._result

    def _work(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            self._error = error


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call ``stop`` while inside; on the main thread, for there are none elsewhere."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextlib.contextmanager
def bloor_errors() -> Iterator[None]:
    """Around every function of the API: what is raised inside leaves as a BloorError.

    Raises:
        BloorError: Bloor's own errors as they are, others in its words. A ``KeyboardInterrupt`` stays one.
    """
    instead_of_default()
    try:
        yield
    except (BloorError, KeyboardInterrupt, GeneratorExit):
        raise
    except OSError as error:
        # a full disk, a taken port, a missing permission: the machine's word, not a bug of ours
        where = f"{error.filename}: " if error.filename else ""
        raise RunError(f"{where}{error.strerror or error}") from error
    except BaseException as error:
        raise RunError(f"a fault in bloor or in a plug-in: {type(error).__name__}: {error}") from error

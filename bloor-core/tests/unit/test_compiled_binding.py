"""How a normalizer's kernels are compiled, cached and called."""

from __future__ import annotations

import gc
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bloor.market.compiled.binding import Call, bind
from bloor.market.compiled.context import Context
from bloor.market.kernels import warm
from bloor.market.normalizer import CompiledNormalizer, SequenceRule
from bloor.native.clock import WallClock

KERNELS = '''
"""A normalizer that answers with the size of a frame and the time it came."""

from bloor.native.memory import byte_at

TIMES = {times}


def step(context, text, size, recv_ns):
    """The entry."""
    context[7] += 1
    return size * TIMES + byte_at(text) * 1000 + recv_ns * 1000000 if size > 0 else -1
'''


def module(folder: Path, times: int = 1) -> ModuleType:
    """A kernel file, read anew."""
    path = folder / "toy_kernels.py"
    path.write_text(KERNELS.format(times=times), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("toy_kernels", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def normalizer(tmp_path: Path) -> CompiledNormalizer:
    return CompiledNormalizer((module(tmp_path),), SequenceRule.CONTIGUOUS)


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the same path holds different kernels within a second


@pytest.mark.parametrize("call", Call)
def test_every_way_gives_the_answer(normalizer: CompiledNormalizer, call: Call) -> None:
    """A frame's bytes and time reach the kernel, its answer comes back, and its context is written."""
    context = Context(normalizer.rule)
    step = bind(normalizer, context, call)
    assert step(b"ab", 3) == 2 + 97_000 + 3_000_000
    assert step(b"", 3) == -1
    assert context.last_trade == 2


@pytest.mark.parametrize("call", Call)
def test_wrong_arguments_are_errors(normalizer: CompiledNormalizer, call: Call) -> None:
    """What is no frame is refused with a TypeError instead of being read as memory."""
    step = bind(normalizer, Context(normalizer.rule), call)
    for arguments in ((), ("ab",), (b"ab", 1, 2), ("ab", 1), (bytearray(b"ab"), 1), (memoryview(b"ab"), 1), (None, 1)):
        with pytest.raises(TypeError):
            step(*arguments)


@pytest.mark.parametrize("call", Call)
def test_a_frame_without_a_time_was_received_now(normalizer: CompiledNormalizer, call: Call) -> None:
    """The time is the context's clock's, which a kernel and Python move on by turns and nothing moves back."""
    context = Context(normalizer.rule)
    clock = WallClock()
    context.share_clock(clock)
    step = bind(normalizer, context, call)
    for _ in range(3):
        before = clock()
        assert (step(b"\x00") - 1 - clock.last * 1_000_000) % (1 << 64) == 0  # the toy's answer has 64 bits
        assert before <= clock.last <= clock()


def test_a_time_that_is_none_is_an_error(normalizer: CompiledNormalizer) -> None:
    """A builtin says what any function of Python would say."""
    step = bind(normalizer, Context(normalizer.rule), Call.BUILTIN)
    with pytest.raises(TypeError):
        step(b"ab", "1")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        step(b"ab", 1 << 70)


def test_the_context_lives_as_long_as_the_step(normalizer: CompiledNormalizer) -> None:
    """Whoever holds the step holds the memory it works in."""
    step = bind(normalizer, Context(normalizer.rule), Call.BUILTIN)
    gc.collect()
    filler = [bytearray(2048) for _ in range(1000)]
    assert step(b"ab", 0) == 97_002
    del filler


def test_calls_leave_no_references(normalizer: CompiledNormalizer) -> None:
    """Neither the frame nor the answer gains a reference over many calls."""
    step = bind(normalizer, Context(normalizer.rule), Call.BUILTIN)
    frame = bytes(bytearray(b"abc" * 100))
    before = sys.getrefcount(frame), sys.getrefcount(None), sys.getallocatedblocks()
    for n in range(50_000):
        step(frame, n)
    after = sys.getrefcount(frame), sys.getrefcount(None), sys.getallocatedblocks()
    assert after[0] == before[0]
    assert abs(after[2] - before[2]) < 200


def test_an_edited_kernel_is_compiled_anew(tmp_path: Path) -> None:
    """A cached kernel never answers for source that it was not made from."""
    answers = []
    for times in (1, 10):
        normalizer = CompiledNormalizer((module(tmp_path, times),), SequenceRule.CONTIGUOUS)
        answers.append(bind(normalizer, Context(normalizer.rule), Call.BUILTIN)(b"ab", 0) - 97_000)
    assert answers == [2, 20]
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_warming_up_says_what_it_compiles(normalizer: CompiledNormalizer) -> None:
    """Who waits for the first start is told what for, normalizers included."""
    steps: list[str] = []
    assert warm(steps.append, {"toy": normalizer}) > 0
    assert steps[-1] == "normalizer of toy"


def test_numba_told_not_to_compile(normalizer: CompiledNormalizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coverage run without the JIT sees the kernels run as Python."""
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    step = bind(normalizer, Context(normalizer.rule))
    assert step(b"ab", 3) == 2 + 97_000 + 3_000_000
    assert type(step).__name__ == "partial"

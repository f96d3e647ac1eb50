"""Order entry in machine code writes the bytes that the ordinary form writes, or leaves the order to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bloor.hookspecs import ExecutorContext
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.orders import CancelRequest, OrderRequest, OrderType, Side, TimeInForce
from bloor.venue.entry import LONGEST, READY, CompiledSession, EntryOrder, client_cells
from bloor.venue.secret import Secret
from bloor.venue.session import Endpoints
from bloor_binance.config import BinanceConfig
from bloor_binance.entry import kernel
from bloor_binance.entry.pieces import OFFSET_MAX
from bloor_binance.executor import BinanceExecutor
from bloor_binance.signing import BinanceCredentials

MS = 1_000_000
PLACE = Endpoints("http://127.0.0.1:1", "ws://127.0.0.1:1", "ws://127.0.0.1:1/ws-api/v3")
ED25519 = BinanceCredentials(api_key="key", private_key=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HMAC = BinanceCredentials(api_key="key", secret=Secret("secret"))
CANARY = 0xA5
ID = "B0100010000002A"


def answer(name: str, result: Any) -> bytes:
    """A venue's answer."""
    return orjson.dumps({"id": name, "status": 200, "result": result})


def session(instruments: Sequence[Instrument], keys: BinanceCredentials = ED25519, **config: int) -> BinanceExecutor:
    """A session whose connection is not open yet."""
    settings = BinanceConfig(**config)  # type: ignore[arg-type]
    return BinanceExecutor(ExecutorContext(config=settings, endpoints=PLACE, credentials=keys, instruments=instruments))


def authenticate(made: BinanceExecutor, offset_ms: int = 0, keys: BinanceCredentials = ED25519) -> BinanceExecutor:
    """The same session after the venue has answered everything, its clock ahead of ours by so much."""
    made.connected(10_000 * MS)
    made.received(answer("time", {"serverTime": 10_000 + offset_ms}), 10_000 * MS)
    if keys.can_log_on:
        made.received(answer("logon", {}), 10_000 * MS)
    made.received(answer("stream", {"subscriptionId": 0}), 10_000 * MS)
    assert made.ready
    return made


def written(made: BinanceExecutor, what: str, order: EntryOrder, now_ns: int, *, plain: bool) -> bytes | None:
    """What the native form writes; None when it leaves the order to the other."""
    room = np.full(LONGEST + 64, CANARY, np.uint8)
    function = getattr(kernel, what) if plain else made.entry.functions().call[what]
    size = int(function(made.entry.address, order.address, room.ctypes.data, now_ns))
    assert (room[LONGEST:] == CANARY).all(), "it wrote beyond its room"
    assert -1 <= size <= LONGEST
    assert size != 0
    return None if size < 0 else room[:size].tobytes()


def entry_order(order: OrderRequest, index: int) -> EntryOrder:
    """An order as the kernels read it."""
    cells = EntryOrder()
    cells.instrument, cells.side, cells.type, cells.tif = index, order.side, order.type, order.tif
    cells.price, cells.lots, cells.venue_order_id = order.price_ticks, order.lots, -1
    cells.client0, cells.client1 = client_cells(order.client_id)
    return cells


edges = st.one_of(
    st.integers(1, INT64_MAX),
    st.builds(lambda power, by: min(max(10**power + by, 1), INT64_MAX), st.integers(0, 18), st.integers(-1, 1)),
    st.integers(0, 3).map(lambda less: INT64_MAX - less),
)
symbols = st.one_of(st.just("BTCUSDT"), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
steps = st.sampled_from([1, 5, 1000, 10**8, 10**17, INT64_MAX])
instruments = st.builds(
    lambda name, price_decimals, tick, qty_decimals, lot: Instrument(
        venue="binance", symbol=name, venue_symbol=name, base="", quote="", price_decimals=price_decimals,
        tick_units=tick, qty_decimals=qty_decimals, lot_units=lot,
    ),
    symbols, st.integers(0, 18), steps, st.integers(0, 18), steps,
)  # fmt: skip
ids = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=15, max_size=16)
times = st.one_of(st.integers(0, 1 << 62), st.integers(1_700_000_000, 1_900_000_000).map(lambda s: s * 10**9 + 999_999))
offsets = st.integers(-5_000, 3_600_000)


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Instrument], int, OrderRequest]:
    """Some instruments and an order in one of them."""
    listed = draw(st.lists(instruments, min_size=1, max_size=3))
    index = draw(st.integers(0, len(listed) - 1))
    kind = draw(st.sampled_from(OrderType))
    request = OrderRequest(
        client_id=draw(ids), instrument=listed[index], side=draw(st.sampled_from(Side)), type=kind,
        tif=draw(st.sampled_from(TimeInForce)), price_ticks=0 if kind is OrderType.MARKET else draw(edges),
        lots=draw(edges),
    )  # fmt: skip
    return listed, index, request


@pytest.fixture(params=[True, False], ids=["plain", "compiled"], scope="module")
def plain(request: pytest.FixtureRequest) -> bool:
    """Whether the kernels run as Python."""
    value: bool = request.param
    return value


@given(drawn=orders(), now_ns=times, offset_ms=offsets, window=st.integers(1, 60_000))
@settings(max_examples=300, deadline=None)
def test_place_is_byte_identical(
    plain: bool, drawn: tuple[list[Instrument], int, OrderRequest], now_ns: int, offset_ms: int, window: int
) -> None:
    """Any order whose numbers fit is written as the ordinary form writes it; any other is left to it."""
    listed, index, order = drawn
    made = authenticate(session(listed, recv_window_ms=window), offset_ms)
    frame = written(made, "place", entry_order(order, index), now_ns, plain=plain)
    i = order.instrument
    fits = order.price_ticks * i.tick_units <= INT64_MAX and order.lots * i.lot_units <= INT64_MAX
    if fits and now_ns + made.offset_ns >= 0:
        assert frame == made.place(order, now_ns)
    else:
        assert frame is None


@given(
    listed=st.lists(instruments, min_size=1, max_size=3), client_id=ids, now_ns=times, offset_ms=offsets,
    venue_id=st.one_of(st.none(), st.just(0), edges),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_cancel_is_byte_identical(
    plain: bool, listed: list[Instrument], client_id: str, now_ns: int, offset_ms: int, venue_id: int | None
) -> None:
    """A cancel names the order by the venue's id where it is known, otherwise by ours."""
    made = authenticate(session(listed), offset_ms)
    cells = EntryOrder()
    cells.instrument, cells.venue_order_id = len(listed) - 1, -1 if venue_id is None else venue_id
    cells.client0, cells.client1 = client_cells(client_id)
    known = "" if venue_id is None else str(venue_id)
    request = CancelRequest(client_id=client_id, venue_order_id=known, instrument=listed[-1])
    frame = written(made, "cancel", cells, now_ns, plain=plain)
    assert frame == (made.cancel(request, now_ns) if now_ns + made.offset_ns >= 0 else None)


BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip
ORDER = OrderRequest(
    client_id=ID, instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC, price_ticks=1, lots=1
)
anything = st.one_of(st.integers(-(1 << 63), INT64_MAX), st.integers(-2, 4))


@given(
    cells=st.lists(anything, min_size=9, max_size=9), now_ns=st.integers(-(1 << 63), INT64_MAX),
    offset_ns=st.integers(-(1 << 70), 1 << 70),
)  # fmt: skip
@example(cells=[0, 1, 1, 1, 5, 5, -1, *client_cells(ID)], now_ns=-(1 << 63), offset_ns=-1)
@settings(max_examples=300, deadline=None)
def test_whatever_the_cells_hold_nothing_is_written_beyond_the_room(
    plain: bool, cells: list[int], now_ns: int, offset_ns: int
) -> None:
    """An order of any numbers is either a whole frame of valid JSON or left to the ordinary form."""
    made = authenticate(session([BTC]))
    made.offset_ns = offset_ns
    order = EntryOrder()
    order.array.view(np.int64)[:] = cells
    for what in ("place", "cancel"):
        frame = written(made, what, order, now_ns, plain=plain)
        if not -OFFSET_MAX <= offset_ns <= OFFSET_MAX or cells[0] != 0 or now_ns < 0:
            assert frame is None


@pytest.mark.parametrize("length", [1, 100, 300, 512, 700, 1024, 4096])
def test_a_name_that_is_too_long_is_left_to_the_ordinary_form(plain: bool, length: int) -> None:
    """No name makes a frame longer than the room: long ones are not encoded natively at all."""
    from attrs import evolve

    long = evolve(BTC, venue_symbol="Ж" * length)
    order = evolve(ORDER, instrument=long, price_ticks=INT64_MAX, lots=INT64_MAX // 1000)
    made = authenticate(session([long, BTC]))
    ordinary = made.place(order, 1 << 62)
    frame = written(made, "place", entry_order(order, 0), 1 << 62, plain=plain)
    assert frame == (ordinary if length <= 100 else None)
    other = evolve(order, instrument=BTC)
    assert written(made, "place", entry_order(other, 1), 1 << 62, plain=plain) == made.place(other, 1 << 62)


def test_ready_is_true_exactly_while_no_signature_is_needed() -> None:
    """The cell follows the life of the connection, and an HMAC session never encodes natively."""
    made = session([BTC])
    assert isinstance(made, CompiledSession)
    cells = made.entry.cells
    seen = [int(cells[READY])]
    made.connected(0)
    for name, result in (("time", {"serverTime": 0}), ("logon", {}), ("stream", {})):
        seen.append(int(cells[READY]))
        made.received(answer(name, result), 0)
    seen.append(int(cells[READY]))
    made.disconnected(0, "gone")
    seen.append(int(cells[READY]))
    assert seen == [0, 0, 0, 0, 1, 0]
    assert written(made, "place", entry_order(ORDER, 0), 10**18, plain=True) is None
    authenticate(made)
    made.timer(made.deadline_ns)
    made.timer(made.deadline_ns)
    assert cells[READY] == 0, "an overdue heartbeat"
    assert authenticate(session([BTC], HMAC), keys=HMAC).entry.cells[READY] == 0


def test_the_address_never_changes() -> None:
    """What an engine was given stays true over connections."""
    made = session([BTC])
    before = made.entry.address
    authenticate(made, 250)
    made.disconnected(0, "gone")
    authenticate(made, -100)
    assert made.entry.address == before
    assert written(made, "place", entry_order(ORDER, 0), 10**18, plain=True) == made.place(ORDER, 10**18)

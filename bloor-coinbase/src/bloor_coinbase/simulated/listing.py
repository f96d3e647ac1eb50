"""What is listed when no recording says it: products, their rules and their names.

``BTC-USDC`` and ``ETH-USDC`` are second names of the books of ``BTC-USD`` and ``ETH-USD``: orders in them meet in one
book and are paid from another wallet (REST: ``alias`` and ``alias_to``).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from bloor.model.instrument import Instrument
from bloor.model.symbols import split_symbol
from bloor.simulation.listing import ListedPair, check_listed, market_style
from bloor.simulation.market import MarketStyle
from bloor_coinbase.symbols import book_product

__all__ = ["DEFAULT_SYMBOLS", "FIAT", "NAMES", "PAIRS", "Product", "books", "instrument", "products", "style"]

DEFAULT_SYMBOLS = ("BTC-USD", "ETH-USD")
#: Assets that are money of a state; all others are coins.
FIAT = frozenset({"USD", "EUR", "GBP"})
NAMES = {
    "USD": "US Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "USDC": "USDC",
    "USDT": "Tether",
    "BTC": "Bitcoin",
    "ETH": "Ethereum",
    "SOL": "Solana",
    "XRP": "XRP",
    "ADA": "Cardano",
    "DOGE": "Dogecoin",
    "LTC": "Litecoin",
}
#: Round prices and the precision of each product.
PAIRS = {
    "BTC-USD": ListedPair(60_000.0, 2, 8),
    "ETH-USD": ListedPair(3_000.0, 2, 8),
    "SOL-USD": ListedPair(150.0, 2, 8),
    "XRP-USD": ListedPair(0.6, 4, 6),
    "ADA-USD": ListedPair(0.45, 4, 8),
    "DOGE-USD": ListedPair(0.12, 5, 1),
    "LTC-USD": ListedPair(80.0, 2, 8),
    "BTC-USDT": ListedPair(60_000.0, 2, 8),
    "ETH-USDT": ListedPair(3_000.0, 2, 8),
    "ETH-BTC": ListedPair(0.05, 5, 8),
    "SOL-BTC": ListedPair(0.0025, 7, 8),
    "BTC-EUR": ListedPair(55_000.0, 2, 8),
}
#: The largest order, worth about this in dollars.
_MAX_VALUE = 150_000_000
#: How late its participants hear of the value that is common to all venues.
_LAG_NS = 20_000_000


@frozen
class Product:
    """One product that orders can be sent to.

    Attributes:
        name: ``BTC-USDC``.
        book: The product whose book it trades in, ``BTC-USD``.
        base: Base asset.
        quote: The asset that buyers pay with.
    """

    name: str
    book: str
    base: str
    quote: str


def books(symbols: Sequence[str]) -> list[str]:
    """The books of canonical symbols, each once.

    Raises:
        UsageError: One has no seeded market.
    """
    found = list(dict.fromkeys(book_product(symbol) for symbol in symbols))
    check_listed(found, PAIRS)
    return found


def products(book: str) -> list[Product]:
    """The names under which orders reach a book: its own, and that in USDC for books in dollars."""
    base, quote = split_symbol(book)
    names = [book, f"{base}-USDC"] if quote == "USD" else [book]
    return [Product(name, book, base, split_symbol(name)[1]) for name in names]


def style(book: str) -> MarketStyle:
    """How the market of a book behaves."""
    return market_style(book, PAIRS[book], _LAG_NS)


def instrument(book: str) -> Instrument:
    """What is traded in a book."""
    pair = PAIRS[book]
    base, quote = split_symbol(book)
    smallest = Decimal(1) if quote != "BTC" else Decimal("0.00001")
    most = 10 ** (len(str(int(_MAX_VALUE / pair.price))) - 1) if quote != "BTC" else 10_000
    return Instrument(
        venue="coinbase",
        symbol=book,
        venue_symbol=book,
        base=base,
        quote=quote,
        price_decimals=pair.price_decimals,
        qty_decimals=pair.lot_decimals,
        max_lots=most * 10**pair.lot_decimals,
        min_notional=smallest,
        max_notional=Decimal(_MAX_VALUE) if quote != "BTC" else Decimal(10_000),
    )

"""Coinbase's names of products, and bloor's: both are ``BTC-USD``, but one book can have two names.

Market-data channels publish the merged book of ``BTC-USD`` and ``BTC-USDC`` under the ``-USD`` name, while orders go to
the product whose quote wallet one holds. REST says the same in each product's ``alias`` and ``alias_to``.
"""

from __future__ import annotations

from bloor.model.symbols import canonical, split_symbol

__all__ = ["book_product", "from_venue", "split", "to_venue"]

#: USDC products with a book of their own.
_OWN_BOOK = {"USDT-USDC", "EURC-USDC"}


def to_venue(symbol: str) -> str:
    """The product that orders in a canonical symbol go to.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    return canonical(*split_symbol(symbol))


def from_venue(product: str) -> str:
    """The canonical symbol of a product.

    Raises:
        UsageError: The text is not ``BASE-QUOTE``.
    """
    return canonical(*split_symbol(product))


def book_product(symbol: str) -> str:
    """The product under which market data of a canonical symbol arrives: ``BTC-USD`` for ``BTC-USDC``.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    base, quote = split_symbol(symbol)
    product = canonical(base, quote)
    return canonical(base, "USD") if quote == "USDC" and product not in _OWN_BOOK else product


def split(product: str) -> tuple[str, str]:
    """Base and quote of a product, whatever its name: ``("BTC", "USD")`` for ``BTC-USD``.

    A product of several dashes (futures, ``BIT-28JUL23-CDE``) is cut at the first one; one without is its own quote.
    """
    base, _, quote = product.partition("-")
    return (base, quote.replace("-", "_")) if base and quote else (product, product)

"""Binance USD-M futures: market data. What is the same as on spot is taken from there."""

"""Backtests: recorded markets, the strategies of live trading, and an exchange that is a model of the venue's."""

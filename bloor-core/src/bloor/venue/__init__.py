"""Conversations with venues: sessions without I/O, the transports that carry them, credentials, clocks, budgets."""

"""Simulated venues: matching, markets, accounts, and the virtual-time world that runs the whole line in one thread."""

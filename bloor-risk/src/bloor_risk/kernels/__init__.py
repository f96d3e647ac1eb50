"""The compiled form of each check: the same answers, by address."""

"""Handlers of a strategy made machine code from the very source that Python runs."""

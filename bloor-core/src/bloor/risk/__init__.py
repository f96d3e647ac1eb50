"""The pre-trade gate: the only way from a strategy to the wire."""

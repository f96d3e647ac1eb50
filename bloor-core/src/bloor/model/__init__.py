"""The vocabulary: instruments, integer prices and quantities, orders, fills. It imports nothing of the house but errors."""

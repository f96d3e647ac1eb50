"""The vocabulary: instruments, integer prices and quantities, orders, fills. It imports nothing here but errors."""

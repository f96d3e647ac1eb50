"""Journal, normalizer, book, strategy, gate and order bytes as one call into machine code for each market frame."""

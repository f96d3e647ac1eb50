"""Market data as compiled code: what a venue's compiled normalizer is made of, and how it is built and called."""

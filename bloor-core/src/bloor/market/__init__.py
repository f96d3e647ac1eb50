"""Market data in one form: messages, events, books, their synchronisation, and recordings of them."""

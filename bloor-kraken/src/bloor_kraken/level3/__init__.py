"""Market data by order: the book of a pair by its orders, and the session of the connection that brings them."""

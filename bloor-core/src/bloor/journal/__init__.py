"""The append-only log of every frame in and out and every decision."""

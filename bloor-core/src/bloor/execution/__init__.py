"""Orders: their life as a pure table, their ids, their exposure."""

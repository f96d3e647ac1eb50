"""The strategy API: one class, typed parameters, handlers."""

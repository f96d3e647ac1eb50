"""Python functions made machine code: the words they are written in, how they are linked, kept and called."""

"""``python -m bloor`` is the command ``bloor``."""

from __future__ import annotations

from bloor.cli.main import main

if __name__ == "__main__":
    main()

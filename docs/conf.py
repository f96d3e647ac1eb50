"""How the documentation is built: ``python3 noxfile.py -s docs``."""

import importlib.metadata

project = "bloor"
copyright = "the bloor developers"  # noqa: A001 (the name that Sphinx reads)
release = importlib.metadata.version("bloor-core")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"bloor {release}"
exclude_patterns = ["README.md"]
myst_heading_anchors = 4

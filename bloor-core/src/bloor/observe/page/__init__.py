"""One self-contained HTML page of a run: plots, tables, and everything that the result rests on."""

from bloor.observe.page.document import Page, Sheet, write_page

__all__ = ["Page", "Sheet", "write_page"]

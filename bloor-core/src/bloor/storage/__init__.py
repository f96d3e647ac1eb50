"""Market data that is kept: event stores made from recordings and from formats that users already have.

A *catalogue* is a folder. :mod:`bloor.storage.importing` fills it, :mod:`bloor.storage.load` and
:mod:`bloor.storage.sql` read it, and ``docs/reference/storage-format.md`` says byte by byte what is in it.
"""

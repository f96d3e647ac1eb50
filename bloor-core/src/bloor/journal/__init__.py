"""The append-only log of every frame in and out and every decision.

One process writes it (:class:`~bloor.journal.writer.Writer`), any number follow it
(:class:`~bloor.journal.follower.Follower`), and afterwards it is read from the beginning
(:class:`~bloor.journal.reader.Reader`). The form of a record is in :mod:`bloor.journal.record`, that of the files in
:mod:`bloor.journal.segment`.
"""

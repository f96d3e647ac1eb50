"""The command line's power from Python, for notebooks and scripts.

Every name here is a name of ``bloor`` itself, imported when it is first asked for: ``bloor.run``, ``bloor.replay`` and
so on. A function does what the command of its name does, in this process, and gives back objects instead of printing.

They work where an event loop is running already (Jupyter) and where none is: what needs a loop of its own gets a thread
of its own, and this one waits for it. An interrupt ends a run in order. What goes wrong is a
:class:`~bloor.errors.BloorError`, never an exit.
"""

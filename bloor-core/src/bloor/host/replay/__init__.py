"""The journal of a run, through the installed plug-ins again.

:mod:`~bloor.host.replay.plan` makes the engine's plan from the journal's header; :mod:`~bloor.host.replay.compare`
holds what the engine makes against what the journal has; :mod:`~bloor.host.replay.difference` says what differs and
what caused it; :mod:`~bloor.host.replay.story` counts what happened; :mod:`~bloor.host.replay.run` does it all.
"""

"""What ``bloor plugins doctor`` looks at: every plug-in, in a process of its own, and what they all stand on.

:mod:`~bloor.host.doctor.ward` examines one plug-in and is what such a process runs; :mod:`~bloor.host.doctor.round`
starts them and reads what they say; :mod:`~bloor.host.doctor.machine` looks at versions, extras and caches.
"""

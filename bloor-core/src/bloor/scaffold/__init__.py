"""Packages of new plug-ins, made of templates: what ``bloor new KIND NAME`` does.

The templates are real packages beside this file: they are checked like all other code, and tested by being made,
installed and run. In a new package their placeholder names (:class:`~bloor.scaffold.kinds.Template`) are replaced.
"""

from __future__ import annotations

from bloor.scaffold.kinds import Licence, ScaffoldKind
from bloor.scaffold.package import NewPackage, new_package

__all__ = ["Licence", "NewPackage", "ScaffoldKind", "new_package"]

"""Importing one plug-in and checking its hooks; whatever goes wrong becomes a PluginError that names it."""

from __future__ import annotations

import importlib
import inspect
import traceback
from typing import Any

import pluggy

from bloor import hookspecs
from bloor.errors import PluginError, nearest
from bloor.plugins.catalog import Installed

__all__ = ["HOOKS", "cause_of", "import_plugin", "register"]

#: Every hook there is -> the names of its arguments.
HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if name.startswith("bloor_") and hasattr(spec, "bloor_spec")
}


def import_plugin(plugin: Installed) -> Any:
    """The module or object that an entry point names.

    Raises:
        PluginError: The import failed, or what it gave cannot be a plug-in. The cause names file and line.
    """
    try:
        found = plugin.entry_point.load()
    except (Exception, SystemExit) as error:  # whatever foreign code raises is its failure
        raise PluginError(plugin.name, f"cannot be imported: {cause_of(error)}", plugin.origin) from error
    if inspect.isclass(found):
        cause = f"expected a module or an object with hooks, got the class {found.__name__}"
        raise PluginError(plugin.name, cause, plugin.origin)
    return found


def cause_of(error: BaseException) -> str:
    """``Type: message (file:line)`` of an exception: the line in the deepest frame that is not the import system's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen ") and not frame.filename.startswith(importlib.__path__[0])
        if frame.filename != __file__
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def register(manager: pluggy.PluginManager, plugin: Installed, found: Any) -> dict[str, tuple[str, ...]]:
    """Checks what a plug-in marks as hooks and registers it.

    Returns:
        The hooks it implements, each with the arguments that its function takes.

    Raises:
        PluginError: A hook that does not exist, one that is not marked, a wrapper, arguments that are not the hook's,
            or an object that is already registered under another name.
    """
    hooks = _marked(plugin, found)
    for name, function in hooks.items():
        if wrong := _wrong_arguments(name, function):
            raise PluginError(plugin.name, wrong, plugin.origin)
    try:
        manager.register(found, plugin.name)
    except pluggy.PluginValidationError as error:
        raise PluginError(plugin.name, str(error), plugin.origin) from error
    except ValueError:
        other = manager.get_name(found)
        cause = f"names the same object as the plug-in {other!r}; each name needs a module or object of its own"
        raise PluginError(plugin.name, cause, plugin.origin) from None
    return {name: tuple(inspect.signature(function).parameters) for name, function in hooks.items()}


def _marked(plugin: Installed, found: Any) -> dict[str, Any]:
    """The functions that a plug-in marks, by hook, after refusing what only looks like a hook."""
    hooks: dict[str, Any] = {}
    for attribute in dir(found):
        try:
            function = getattr(found, attribute, None)
        except Exception:  # noqa: BLE001, S112 (a property that fails, however it does, is no hook)
            continue
        if not inspect.isroutine(function):
            continue
        marks = getattr(function, "bloor_impl", None)
        if marks is None:
            if attribute.startswith("bloor_") and not hasattr(function, "bloor_spec"):
                hint = "; mark it with @hookimpl from bloor.hookspecs, or call it something without bloor_ in front"
                raise PluginError(plugin.name, f"{_place(function)} is not marked as a hook", plugin.origin, hint)
            continue
        name = marks.get("specname") or attribute
        if name not in HOOKS:
            cause = f"{_place(function)}: there is no hook {name!r}"
            raise PluginError(plugin.name, cause, plugin.origin, nearest(name, HOOKS))
        if marks.get("wrapper") or marks.get("hookwrapper"):
            raise PluginError(plugin.name, f"{_place(function)}: a hook of bloor cannot be wrapped", plugin.origin)
        hooks[name] = function
    return hooks


def _wrong_arguments(name: str, function: Any) -> str:
    """Which argument a function asks for that its hook does not have."""
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    extra = [p.name for p in needed if p.name not in HOOKS[name] or p.kind is not p.POSITIONAL_OR_KEYWORD]
    if not extra:
        return ""
    known = ", ".join(HOOKS[name]) or "none"
    return f"{_place(function)}: {name} has no argument {extra[0]!r} (its arguments: {known})"


def _place(function: Any) -> str:
    """``name() (file:line)`` of a function, as far as it can be found."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(function, '__name__', function)}(){where}"

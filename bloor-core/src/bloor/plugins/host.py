"""The plug-ins of one process: loaded by name, asked through typed accessors, isolated from one another.

Everything here happens at start-up. What the accessors return is bound by the host into plain callables; no hook is
called between a received frame and a sent order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pluggy
from attrs import frozen

from bloor import hookspecs
from bloor.errors import PluginError
from bloor.hookspecs import Diagnosis, ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec
from bloor.plugins.catalog import Catalog, Installed, Kind, discover
from bloor.plugins.loading import cause_of, import_plugin, register
from bloor.plugins.promise import DEPRECATED, api_warning, told
from bloor.plugins.returned import CHECKS
from bloor.plugins.trust import Allowed, refusal

if TYPE_CHECKING:
    from bloor.backtesting.models import FeeModel, LatencyModel, QueueModel
    from bloor.risk.check import RiskCheck
    from bloor.strategy.api import Strategy

__all__ = ["Loaded", "PluginHost"]


@frozen
class Loaded:
    """A plug-in that is imported and whose hooks are in order.

    Attributes:
        installed: What its metadata says.
        hooks: Names of the hooks it implements.
        plugin: The module or object itself.
    """

    installed: Installed
    hooks: tuple[str, ...]
    plugin: Any


class PluginHost:
    """Loads plug-ins and asks them.

    Args:
        catalog: What is installed; None reads it from package metadata.
        allow: The allow-list of distributions; None allows all.
        block: Names that must not be loaded.

    Attributes:
        catalog: What is installed.
        warnings: What a person should be told about the plug-ins loaded so far, one sentence each.
    """

    def __init__(
        self, catalog: Catalog | None = None, *, allow: Iterable[Allowed] | None = None, block: Iterable[str] = ()
    ) -> None:
        self.catalog = discover() if catalog is None else catalog
        self.warnings: list[str] = []
        self._allow = None if allow is None else tuple(allow)
        self._blocked: set[str] = set()
        self._loaded: dict[str, Loaded] = {}
        self._answers: dict[tuple[str, str], Any] = {}
        self._manager = pluggy.PluginManager("bloor")
        self._manager.add_hookspecs(hookspecs)
        for name in block:
            self.block(name)

    # ---- loading ----------------------------------------------------------------------------------------------------

    def block(self, name: str) -> None:
        """Keeps a plug-in from being loaded: ``-p no:NAME``.

        Raises:
            PluginError: It is not installed (a misspelt block would block nothing), or is loaded already.
        """
        if name not in self.catalog.entries:
            self.catalog.find(name)
        if name in self._loaded:
            raise PluginError(name, "is loaded already and cannot be blocked any more")
        self._blocked.add(name)

    def load(self, name: str) -> Loaded:
        """Imports a plug-in and checks its hooks; a second call returns the same.

        Raises:
            PluginError: It is unknown, ambiguous, blocked, not allowed, written for another API, cannot be imported,
                or its hooks are wrong.
        """
        if name in self._loaded:
            return self._loaded[name]
        installed = self.catalog.find(name)
        if reason := self.refused(installed):
            raise PluginError(name, reason, installed.origin)
        plugin = import_plugin(installed)
        hooks = register(self._manager, installed, plugin)
        loaded = self._loaded[name] = Loaded(installed, tuple(hooks), plugin)
        if installed.kind is Kind.UNKNOWN:
            self.warnings.append(f"plug-in {name!r} from {installed.origin} does not say its kind and API version")
        for sentence in filter(None, (api_warning(installed.api), *told(hooks, DEPRECATED))):
            self.warnings.append(f"plug-in {name!r} from {installed.origin} {sentence}")
        return loaded

    def refused(self, installed: Installed) -> str:
        """Why a plug-in is not to be loaded here: blocked by name or by the allow-list; empty otherwise."""
        if installed.name in self._blocked:
            return f"is blocked (-p no:{installed.name}, or [plugins] block)"
        return refusal(installed, self._allow)

    @property
    def loaded(self) -> Mapping[str, Loaded]:
        """What is loaded, by name, in order of loading."""
        return MappingProxyType(self._loaded)

    # ---- typed accessors --------------------------------------------------------------------------------------------

    def feed(self, venue: str) -> FeedSpec:
        """Market data of a venue. Raises PluginError when it cannot be loaded or has none."""
        answer: FeedSpec = self._ask(venue, "bloor_feed")
        return answer

    def normalizer(self, venue: str) -> NormalizerSpec:
        """How a venue's frames are read. Raises PluginError when it cannot be loaded or has none."""
        answer: NormalizerSpec = self._ask(venue, "bloor_normalizer")
        return answer

    def executor(self, venue: str) -> ExecutorSpec:
        """Order entry at a venue. Raises PluginError when it cannot be loaded or has none."""
        answer: ExecutorSpec = self._ask(venue, "bloor_executor")
        return answer

    def simulated_venue(self, venue: str) -> SimulatedVenueSpec:
        """A venue's simulation. Raises PluginError when it cannot be loaded or has none."""
        answer: SimulatedVenueSpec = self._ask(venue, "bloor_simulated_venue")
        return answer

    def venue_config(self, venue: str) -> type[Any] | None:
        """The attrs class of ``[venue.<name>]``; None when the venue has no configuration of its own."""
        if "bloor_venue_config" not in self.load(venue).hooks:
            return None
        answer: type[Any] = self._ask(venue, "bloor_venue_config")
        return answer

    def strategy(self, name: str) -> type[Strategy]:
        """The strategy class of a plug-in. Raises PluginError when it cannot be loaded or has none."""
        answer: type[Strategy] = self._ask(name, "bloor_strategy")
        return answer

    def queue_model(self, name: str) -> type[QueueModel]:
        """The queue model of a plug-in. Raises PluginError when it cannot be loaded or has none."""
        answer: type[QueueModel] = self._ask(name, "bloor_queue_model")
        return answer

    def latency_model(self, name: str) -> type[LatencyModel]:
        """The latency model of a plug-in. Raises PluginError when it cannot be loaded or has none."""
        answer: type[LatencyModel] = self._ask(name, "bloor_latency_model")
        return answer

    def fee_model(self, name: str) -> type[FeeModel]:
        """The fee model of a plug-in, a venue's too. Raises PluginError when it cannot be loaded or has none."""
        answer: type[FeeModel] = self._ask(name, "bloor_fee_model")
        return answer

    def risk_checks(self) -> dict[str, type[RiskCheck]]:
        """Every installed risk check by name, blocked ones left out, sorted.

        Raises:
            PluginError: One of them cannot be loaded. It may be the protection that somebody relies on, so a run does
                not go on without it unless a person blocks it by name.
        """
        names = [name for name in self.catalog.names(Kind.RISK_CHECK) if name not in self._blocked]
        for plugin in (entry for found in self.catalog.entries.values() for entry in found):
            if plugin.kind is Kind.UNKNOWN and plugin.problem and plugin.name not in self._blocked:
                self.warnings.append(f"plug-in {plugin.name!r} from {plugin.origin} is not loaded: {plugin.problem}")
        return {name: self._risk_check(name) for name in names}

    def _risk_check(self, name: str) -> type[RiskCheck]:
        try:
            answer: type[RiskCheck] = self._ask(name, "bloor_risk_check")
        except PluginError as error:
            hint = f"{error.hint}; every installed risk check must load (-p no:{name} runs without it)"
            raise PluginError(name, error.cause, error.origin, hint) from error
        return answer

    def answers(self, name: str) -> dict[str, Any]:
        """Everything that a plug-in's hooks hand over, by hook, checked; life-cycle hooks are left out.

        Raises:
            PluginError: It cannot be loaded, or one of its hooks fails or returns the wrong thing.
        """
        return {hook: self._ask(name, hook) for hook in self.load(name).hooks if hook in CHECKS}

    def diagnoses(self, name: str, config: Any, *, online: bool) -> list[Diagnosis]:
        """What a plug-in says of its own health; nothing when it has no ``bloor_doctor``.

        Args:
            name: The plug-in.
            config: Its section, typed; None without one.
            online: Whether it may use the network.

        Raises:
            PluginError: It cannot be loaded, or its hook fails or returns the wrong thing.
        """
        loaded = self.load(name)
        if "bloor_doctor" not in loaded.hooks:
            return []
        answer = self._call(loaded, "bloor_doctor", {"config": config, "online": online})
        rows = list(answer) if isinstance(answer, Iterable) else [answer]
        for row in rows:
            if not isinstance(row, Diagnosis):
                got = f"{row!r:.80} ({type(row).__name__})"
                wrong = f"bloor_doctor() returned the wrong thing: expected a list of Diagnosis, got {got}"
                raise PluginError(name, wrong, loaded.installed.origin)
        return rows

    def installed_venues(self) -> list[str]:
        """Names of the venues that can be traded on, blocked ones left out, sorted; nothing is imported.

        A plug-in of the kind ``feed`` has market data only and is not among them.
        """
        return [name for name in self.catalog.names(Kind.VENUE) if name not in self._blocked]

    def section_names(self) -> dict[str, list[str]]:
        """Which plug-in sections a configuration may have: names by table, one for each of ``PLUGIN_TABLES``.

        A plug-in that does not say its kind may have any of them.
        """
        kinds = {
            "strategy": [Kind.STRATEGY],
            "risk": [Kind.RISK_CHECK],
            "venue": [Kind.VENUE, Kind.FEED],
            "keys": [Kind.VENUE],
        }
        return {table: self.catalog.names(*of, Kind.UNKNOWN) for table, of in kinds.items()}

    def _ask(self, name: str, hook: str) -> Any:
        """What a plug-in's hook returned: called once, checked, remembered."""
        loaded = self.load(name)
        if (name, hook) in self._answers:
            return self._answers[name, hook]
        origin = loaded.installed.origin
        word = hook.removeprefix("bloor_").replace("_", " ")
        if hook not in loaded.hooks:
            provided = ", ".join(each.removeprefix("bloor_").replace("_", " ") for each in loaded.hooks) or "nothing"
            raise PluginError(name, f"provides no {word} (it provides: {provided})", origin)
        answer = self._call(loaded, hook, {})
        if wrong := CHECKS[hook](name, answer):
            raise PluginError(name, f"{hook}() returned the wrong thing: {wrong}", origin)
        self._answers[name, hook] = answer
        return answer

    # ---- life cycle -------------------------------------------------------------------------------------------------

    def session_start(self, session: Path, mode: str) -> None:
        """Tells every loaded plug-in that a run is about to connect.

        Raises:
            PluginError: One of them objects; the run must not start.
        """
        for loaded in self._loaded.values():
            if "bloor_session_start" in loaded.hooks:
                self._call(loaded, "bloor_session_start", {"session": session, "mode": mode})

    def session_finish(self, session: Path, summary: Mapping[str, Any]) -> list[PluginError]:
        """Tells every loaded plug-in that a run has ended.

        Returns:
            The failures, to be reported: each plug-in is told, whatever another one does.
        """
        failures = []
        for loaded in self._loaded.values():
            if "bloor_session_finish" in loaded.hooks:
                try:
                    arguments = {"session": session, "summary": MappingProxyType(dict(summary))}
                    self._call(loaded, "bloor_session_finish", arguments)
                except PluginError as error:
                    failures.append(error)
        return failures

    def _call(self, loaded: Loaded, hook: str, arguments: Mapping[str, Any]) -> Any:
        """Calls one hook of one plug-in with as many of the arguments as it wants."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.plugin is loaded.plugin:
                try:
                    return implementation.function(*(arguments[name] for name in implementation.argnames))
                except (Exception, SystemExit) as error:  # foreign code: its failure is its own
                    cause = f"{hook}() failed: {cause_of(error)}"
                    raise PluginError(loaded.installed.name, cause, loaded.installed.origin) from error
        raise AssertionError(f"{hook} of {loaded.installed.name} is registered nowhere")  # pragma: no cover

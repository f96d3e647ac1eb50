"""Answers of Coinbase's REST interface about orders (sans I/O).

An order counts as refused only by ``success: false`` or by a status that says so
(:func:`bloor_coinbase.refusals.is_certain`); whatever else goes wrong leaves its outcome unknown, and it is looked up.
Source: docs.cdp.coinbase.com, "Create Order", "Edit Order", "Cancel Orders", "Get Order", "List Orders", "List Fills".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from attrs import field, frozen

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import ReportKind, VenueReport
from bloor.venue.session import Action, Listed, Tell
from bloor_coinbase.frames.fields import objects, time_ns, wrong
from bloor_coinbase.order_requests import Operation
from bloor_coinbase.refusals import TOLD, Refusal, edit_reason, is_certain, meaning, order_reason, said
from bloor_coinbase.registry import Registry
from bloor_coinbase.rows import OrderRow, fill_row, is_same_order, listed_row
from bloor_coinbase.tracking import fill_report

__all__ = ["Answer", "Answers"]

#: An order that is so much older than ours was placed is not ours: far beyond what clocks can be apart.
_EARLIER_NS = 60_000_000_000

#: Refusals of a cancel that prove nothing about the order: it is asked about, and cancelled again while it is open.
_CANCEL_AGAIN = frozenset(
    {"COMMANDER_REJECTED_CANCEL_ORDER", "ORDER_IS_BEING_REPLACED", "UNKNOWN_CANCEL_FAILURE_REASON"}
)


@frozen(kw_only=True)
class Answer:
    """What an answer says and what it makes necessary.

    Attributes:
        reports: What it says of orders.
        actions: What to do beside that.
        cursor: Where the next page begins, when it is wanted.
        cancel_id: The venue's id of an order that is to be cancelled now that it is known.
    """

    reports: Sequence[VenueReport] = ()
    actions: Sequence[Action] = field(factory=list)
    cursor: str = ""
    cancel_id: str = ""


class Answers:
    """Reads answers by the letter of their tag.

    Args:
        registry: Our orders.
        instruments: By product.
    """

    def __init__(self, registry: Registry, instruments: Mapping[str, Instrument]) -> None:
        self._registry = registry
        self._instruments = instruments
        #: What the pages of a list had so far, by the time at which it was asked for.
        self._listed: dict[str, set[str]] = {}
        self._readers: dict[str, Callable[[str, int, Any, int], Answer]] = {
            Operation.NEW.value.letter: self._new,
            Operation.CANCEL.value.letter: self._cancel,
            Operation.EDIT.value.letter: self._edit,
            Operation.QUERY.value.letter: self._query,
            Operation.LOOK_UP.value.letter: self._look_up,
            Operation.LOOK_UP_TO_CANCEL.value.letter: self._look_up_to_cancel,
            Operation.FILLS.value.letter: self._fills,
            Operation.SEARCH.value.letter: self._search,
            Operation.LIST.value.letter: self._list,
        }

    def read(self, tag: str, status: int, body: bytes, now_ns: int) -> Answer:
        """What an answer says; one that cannot be read says nothing, and a person is told."""
        letter, name = tag[:1], tag[1:].partition(":")[0]
        reader = self._readers.get(letter)
        if reader is None:
            return Answer()
        try:
            return reader(name, status, _document(status, body), now_ns)
        except RemoteProtocolError as error:
            reports = self._unreadable(letter, name, str(error), now_ns)
            return Answer(reports=reports, actions=[Tell("bad_answer", f"coinbase: answer to {tag}: {error}")])

    def _unreadable(self, letter: str, name: str, reason: str, now_ns: int) -> Sequence[VenueReport]:
        """Of what cannot be read nothing is known."""
        if letter == Operation.FILLS.value.letter:
            self._answered(name, now_ns)
        elif letter == Operation.LIST.value.letter:
            self._listed.pop(name, None)
        kind = _UNCERTAIN.get(letter)
        return [_report(kind, one, reason) for one in _all(name)] if kind is not None else []

    # ---- orders that are placed, changed, cancelled

    def _new(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        if status != 200:
            kind = ReportKind.REJECT if is_certain(status) else ReportKind.UNCERTAIN
            return _one(kind, name, said(status, document))
        if document.get("success") is True:
            return self._accepted(name, document)
        if document.get("success") is not False:
            raise wrong("new order", "success", "true or false", document.get("success"))
        reason = order_reason(document)
        why = meaning(reason)
        if why is Refusal.DUPLICATE:
            tracked = self._registry.of(name)
            if tracked is not None:
                tracked.is_taken = True
            return _one(ReportKind.UNCERTAIN, name, reason)  # that order may be this one: it is looked up and compared
        told = TOLD.get(why)
        tell = [Tell(told[0], f"coinbase refused {name}: {reason}: {told[1]}")] if told else []
        return Answer(reports=_one(ReportKind.REJECT, name, reason).reports, actions=tell)

    def _accepted(self, name: str, document: dict[str, Any]) -> Answer:
        made = document.get("success_response")
        order_id = (made.get("order_id") if type(made) is dict else None) or document.get("order_id")
        if type(order_id) is not str or not order_id:
            raise wrong("new order", "success_response.order_id", "the venue's id of the order", order_id)
        tracked = self._registry.of(name)
        if tracked is None:
            return Answer(reports=[VenueReport(kind=ReportKind.ACK, client_id=name, venue_order_id=order_id)])
        theirs = {**(made if type(made) is dict else {}), "order_configuration": document.get("order_configuration")}
        if not is_same_order(tracked.order, theirs):
            return Answer(
                reports=_one(ReportKind.UNCERTAIN, name, "the order is not the one that was asked for").reports,
                actions=self._mismatch(name, document),
            )
        tracked.bind(order_id)
        symbol = tracked.order.instrument.venue_symbol
        ack = VenueReport(kind=ReportKind.ACK, client_id=name, venue_symbol=symbol, venue_order_id=order_id)
        return Answer(reports=[ack])

    def _cancel(self, names: str, status: int, document: Any, now_ns: int) -> Answer:
        """Success means that the cancel was asked for; that it was carried out the stream says, or a query.

        An order that the answer leaves out is asked about.
        """
        if status != 200:
            return Answer(
                reports=[_report(ReportKind.CANCEL_UNCERTAIN, n, said(status, document)) for n in _all(names)]
            )
        results = objects("cancel", document, "results")
        rows = {str(row.get("order_id")): row for row in results}
        alone = results[0] if len(results) == 1 and "," not in names else {}  # of an order that was not placed here
        reports = []
        for name in _all(names):
            row = rows.get(self._registry.order_id(name), alone)
            reason = str(row.get("failure_reason") or "")
            if row.get("success") is not True:
                again = reason in _CANCEL_AGAIN or not reason
                kind = ReportKind.CANCEL_UNCERTAIN if again else ReportKind.CANCEL_REJECT
                reports.append(_report(kind, name, reason or "no answer for this order"))
        return Answer(reports=reports)

    def _edit(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        """Success means that the edition was asked for; the stream says when it was carried out."""
        if status != 200:
            kind = ReportKind.REPLACE_REJECT if is_certain(status) else ReportKind.REPLACE_UNCERTAIN
            return _one(kind, name, said(status, document))
        if type(document.get("success")) is not bool:
            raise wrong("edit", "success", "true or false", document.get("success"))
        return Answer() if document["success"] else _one(ReportKind.REPLACE_REJECT, name, edit_reason(document))

    # ---- orders that are asked about

    def _query(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        if status == 404:
            return _one(ReportKind.NOT_FOUND, name, said(status, document))
        if status != 200:
            return Answer()
        row = document.get("order")
        if type(row) is not dict:
            raise wrong("query", "order", "an order", row)
        return self._found(name, row, now_ns)

    def _look_up(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        """A page of the orders of a product: the one we look for, or the next page, or proof that it is not there."""
        if status != 200:
            return Answer()
        for row in objects("orders", document, "orders"):
            if row.get("client_order_id") == name:
                return self._found(name, row, now_ns)
        if document.get("has_next") is True and type(document.get("cursor")) is str and document["cursor"]:
            return Answer(cursor=document["cursor"])
        return _one(ReportKind.NOT_FOUND, name, "not among the orders of the product")

    def _look_up_to_cancel(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        answer = self._look_up(name, status, document, now_ns)
        if answer.cursor:
            return answer
        if any(report.kind is ReportKind.FOUND_OPEN for report in answer.reports):
            return Answer(reports=answer.reports, actions=answer.actions, cancel_id=self._registry.order_id(name))
        if any(report.kind is not ReportKind.NOT_FOUND for report in answer.reports):
            return answer
        # the cancel stays owed until it is known what has become of the order
        owed = _report(ReportKind.CANCEL_UNCERTAIN, name, f"status {status}: the order was not found to be cancelled")
        return Answer(reports=[owed, *answer.reports])

    def _found(self, name: str, row: dict[str, Any], now_ns: int) -> Answer:
        found = listed_row(row, self._instrument(row))
        if found.client_id != name:
            raise wrong("order", "client_order_id", name, found.client_id)
        tracked = self._registry.of(name)
        created_ns = time_ns("order", row, "created_time")
        if tracked is not None and 0 < created_ns < tracked.placed_ns - _EARLIER_NS:
            # it was there before: ours was not accepted under an id that was taken
            reason = f"DUPLICATE_CLIENT_ORDER_ID the id is that of order {found.order_id}"
            return Answer(reports=_one(ReportKind.REJECT, name, reason).reports, actions=self._mismatch(name, row))
        same = tracked is None or is_same_order(tracked.order, row)
        return Answer(reports=self._heard(found, now_ns), actions=[] if same else self._mismatch(name, row))

    def _heard(self, row: OrderRow, now_ns: int) -> Sequence[VenueReport]:
        return self._registry.heard(row, self._instruments[row.product], now_ns, asked=True)

    def _list(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        """A page of the open orders; with the last one it is known which of ours are not there."""
        if status != 200:
            self._listed.pop(name, None)
            return Answer()
        listed = self._listed.setdefault(name, set())
        reports: list[VenueReport] = []
        for row in objects("orders", document, "orders"):
            if str(row.get("product_id")) in self._instruments:
                listed.add(str(row.get("client_order_id") or ""))
                reports += self._heard(listed_row(row, self._instrument(row)), now_ns)
        if document.get("has_next") is True and type(document.get("cursor")) is str and document["cursor"]:
            return Answer(reports=reports, cursor=document["cursor"])
        ids = frozenset(self._listed.pop(name))
        symbols = dict.fromkeys(instrument.venue_symbol for instrument in self._instruments.values())
        return Answer(reports=reports, actions=[Listed(symbol, ids, int(name)) for symbol in symbols])

    def _mismatch(self, name: str, row: Mapping[str, Any]) -> list[Action]:
        """The venue has another order under our id: a person is told, once."""
        tracked = self._registry.of(name)
        if tracked is None or tracked.is_mismatch_told:
            return []
        tracked.is_mismatch_told = True
        text = f"coinbase has another order under the id {name} than the one that was asked for: {str(row)[:300]}"
        return [Tell("order_mismatch", text)]

    # ---- fills

    def _fills(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        """A page of the fills of an order."""
        if status != 200:
            self._answered(name, now_ns)
            return Answer()
        rows = [fill_row(row, self._instrument(row)) for row in objects("fills", document, "fills")]
        actions: list[Action] = [
            Tell("trade_corrected", f"coinbase took back or corrected trade {row.fill.trade_id} of order {name}")
            for row in rows
            if not row.is_trade
        ]
        trades = [row for row in rows if row.is_trade]
        tracked = self._registry.of(name)
        if tracked is None:
            return Answer(
                reports=[fill_report(name, t.order_id, t.instrument, t.fill) for t in trades], actions=actions
            )
        mine = [row.fill for row in trades if row.order_id == tracked.order_id]
        reports = self._registry.showed(tracked, mine, now_ns)
        self._answered(name, now_ns)
        if tracked.fills.unlike and not tracked.is_mismatch_told:
            tracked.is_mismatch_told = True
            text = f"the fills of order {name} are not what the user stream said of it"
            actions.append(Tell("fill_mismatch", text))
        cursor = document.get("cursor")
        more = cursor if type(cursor) is str and rows and tracked.fills.missing else ""
        return Answer(reports=reports, actions=actions, cursor=more)

    def _answered(self, name: str, now_ns: int) -> None:
        tracked = self._registry.of(name)
        if tracked is not None:
            tracked.answered(now_ns)

    def _search(self, name: str, status: int, document: Any, now_ns: int) -> Answer:
        """Which orders traded; an answer that goes on elsewhere may leave some out."""
        if status != 200:
            return Answer()
        ids = frozenset(str(row.get("order_id")) for row in objects("fills", document, "fills"))
        seen = None if document.get("cursor") else ids
        return Answer(reports=[VenueReport(kind=ReportKind.TRADES_SEEN, client_id=name, order_ids=seen)])

    def _instrument(self, row: Mapping[str, Any]) -> Instrument:
        product = row.get("product_id")
        found = self._instruments.get(product) if type(product) is str else None
        if found is None:
            raise wrong("order", "product_id", "a product that is traded here", product)
        return found


_UNCERTAIN = {
    Operation.NEW.value.letter: ReportKind.UNCERTAIN,
    Operation.CANCEL.value.letter: ReportKind.CANCEL_UNCERTAIN,
    Operation.LOOK_UP_TO_CANCEL.value.letter: ReportKind.CANCEL_UNCERTAIN,
    Operation.EDIT.value.letter: ReportKind.REPLACE_UNCERTAIN,
}


def _document(status: int, body: bytes) -> Any:
    """The document of an answer; None when it is another status and has none: a gateway's page.

    Raises:
        RemoteProtocolError: The status is 200, and it is no JSON object.
    """
    try:
        document = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        document = None
    if status == 200 and type(document) is not dict:
        raise RemoteProtocolError(f"expected a JSON object, got {body[:60]!r}")
    return document


def _all(names: str) -> Sequence[str]:
    """The orders of a tag: one, or those of a cancel."""
    return names.split(",")


def _report(kind: ReportKind, client_id: str, reason: str) -> VenueReport:
    return VenueReport(kind=kind, client_id=client_id, reason=reason)


def _one(kind: ReportKind, client_id: str, reason: str) -> Answer:
    return Answer(reports=[_report(kind, client_id, reason)])

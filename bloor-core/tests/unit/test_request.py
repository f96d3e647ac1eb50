"""Requests over REST: what is sent, what is recorded, what is shown."""

from __future__ import annotations

from bloor.venue.session import Request


def test_what_is_recorded_and_shown_holds_no_secret() -> None:
    """Headers, signature and what signs are left out; the body is there, since nothing in it is secret."""
    request = Request(
        tag="n1", method="POST", path="/order", params="a=1", signature="&signature=s3cret", body=b'{"side":"BUY"}',
        headers={"Key": "s3cret"}, sign=lambda now_ns: {"Sign": f"s3cret {now_ns}"},
    )  # fmt: skip
    assert request.record() == b'n1 POST /order?a=1 {"side":"BUY"}'
    assert "s3cret" not in repr(request)
    assert request.target == "/order?a=1&signature=s3cret"
    assert request.head(5) == {"Key": "s3cret", "Sign": "s3cret 5"}


def test_a_request_without_query_has_no_question_mark() -> None:
    """Signatures that cover the path would not agree with one."""
    request = Request(tag="t", method="POST", path="/0/private/Balance", params="", body=b"nonce=1")
    assert request.target == "/0/private/Balance"
    assert request.record() == b"t POST /0/private/Balance? nonce=1"
    assert Request(tag="t", method="GET", path="/p", params="").record() == b"t GET /p?"

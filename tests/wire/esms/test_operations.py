"""Paths and what is behind them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms.operations import TABLE, Kind, Operation, find, split_target

SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_documented_spelling_finds_its_row_with_and_without_slash(row: Operation) -> None:
    """A trailing slash is optional and never a redirect; case does not matter."""
    for folder in row.folders:
        path = f"/MainService.svc/{folder}/{row.name}"
        for spelling in (path, path + "/", path.encode(), path.upper(), path.lower() + "/"):
            assert find(spelling) == row._replace(arguments=("",) * row.takes, markup=folder == "xml")


@pytest.mark.parametrize(
    "path",
    [
        "/mainservice.svc/JSON/SENDMULTIPLEMESSAGE_v4_post_json",
        "//MainService.svc///json//SendMultipleMessage_V4_post_json//",
        "http://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/",
        "HTTPS://rest.esms.vn:443//MainService.svc/json/SendMultipleMessage_V4_post_json?n8n=nqdev",
        SEND + "?x=/MainService.svc/json/GetBalance",
        SEND + "#top",
        SEND.replace("json", "xml", 1),
    ],
)
def test_every_way_clients_write_the_path_reaches_the_send(path: str) -> None:
    """Case, repeated slashes, absolute-form targets and queries do not matter."""
    found = find(path)
    assert found is not None
    assert found.name == "SendMultipleMessage_V4_post_json"
    assert find(path.encode()) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/MainService.svc/json",
        "/MainService.svc/json/",
        "/MainService.svc/json/Nothing",
        "/MainService.svc/soap/GetSendStatus",
        "/json/GetSendStatus",
        "/other/MainService.svc/json/GetSendStatus",
        SEND + "/more",
        "/MainService.svc/xml/SendMultipleMessage_V4_get",
        "/MainService.svc/json/GetBalance/K/S/more",
        "/MainService.svc/json/GetBalance/K%00/S",
        "/MainService.svc/json/GetBalance/%FF/S",
        "/MainService.svc/jſon/GetSendStatus",
        "/MainService.svc/json/GetBalance\ud800",
        "http://rest.esms.vn",
    ],
)
def test_a_path_that_is_no_operation_finds_nothing(path: str) -> None:
    """The door answers those with 404."""
    assert find(path) is None


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/MainService.svc/json/GetBalance/K-1/S-2", ("K-1", "S-2")),
        ("/mainservice.svc/JSON/getbalance//K-1/S-2/", ("K-1", "S-2")),
        ("/MainService.svc/json/GetBalance/a%2Fb/c%20d", ("a/b", "c d")),
        ("/MainService.svc/json/GetBalance/K-1", ("K-1", "")),
        ("/MainService.svc/json/GetBalance", ("", "")),
    ],
)
def test_path_arguments_keep_their_case_and_are_decoded(path: str, arguments: tuple[str, ...]) -> None:
    """Missing ones are empty, so that they are answered as wrong keys."""
    found = find(path)
    assert found is not None
    assert found.kind is Kind.BALANCE
    assert found.arguments == arguments


def test_keys_in_a_path_do_not_show_in_the_repr() -> None:
    """A path argument is a secret."""
    assert "S-2" not in repr(find("/MainService.svc/json/GetBalance/K-1/S-2"))


@pytest.mark.parametrize(
    ("name", "kind", "methods"),
    [
        ("SendMultipleMessage_V4_post_json", Kind.SEND, ("POST",)),
        ("SendMultipleMessage_V4_get", Kind.SEND, ("GET", "POST")),
        ("GetSendStatus", Kind.STATUS, ("GET", "POST")),
        ("GetBalance_json", Kind.BALANCE, ("POST",)),
        ("ZNS/GetRating", Kind.UNSUPPORTED, ("GET", "POST")),
        ("SendZaloMessage_V6/zalo_uid", Kind.UNSUPPORTED, ("GET", "POST")),
    ],
)
def test_an_operation_says_what_it_is_and_which_methods_it_takes(name: str, kind: Kind, methods: tuple[str]) -> None:
    """The methods are the Allow header of a 405."""
    found = find(f"/MainService.svc/json/{name}")
    assert found is not None
    assert (found.kind, found.methods) == (kind, methods)


@pytest.mark.parametrize("path", ["/MainService.svc", "/mainservice.svc/", "/MainService.svc?wsdl"])
def test_the_bare_service_address_is_a_soap_call_that_is_not_served(path: str) -> None:
    """It is answered with 118 like the other names of Tier 3."""
    found = find(path)
    assert found is not None
    assert found.kind is Kind.UNSUPPORTED


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/a", (b"/a", b"")),
        (b"/a?b=c?d", (b"/a", b"b=c?d")),
        (b"/a?b=c#d", (b"/a", b"b=c")),
        (b"/a#b?c", (b"/a", b"")),
        (b"", (b"", b"")),
    ],
)
def test_a_target_is_cut_into_path_and_query(target: bytes, parts: tuple[bytes, bytes]) -> None:
    """The fragment belongs to neither."""
    assert split_target(target) == parts


@given(st.binary(max_size=200))
def test_any_bytes_are_searched_without_an_exception(path: bytes) -> None:
    """A path is the first thing a stranger sends."""
    find(path)
    find(b"/MainService.svc/json/GetBalance/" + path)

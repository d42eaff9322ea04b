"""Answer bodies against files that a person can read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.esms import answers, codes
from bocau.wire.esms.status import SendReport

GOLDEN = Path(__file__).with_name("golden")
SMSID = "6b1f0f3f9a7d4b0fb1a7b0c4f2d9e811042"
DELIVERED = SendReport(SMSID, 5, 1, 0, 8_500_000, 1, 1)

BODIES = {
    "100": answers.accepted(SMSID),
    "101": answers.refused("101", codes.text("101")),
    "104": answers.refused("104", codes.text("104")),
    "118": answers.refused("118", codes.text("118")),
    "124": answers.refused("124", codes.text("124"), send_status=5),
    "146": answers.refused("146", codes.text("146"), smsid=SMSID),
    "error_400": answers.infrastructure_error(),
    "error_503": answers.infrastructure_error("Service unavailable"),
    "send_status": answers.send_status(DELIVERED),
    "send_status_101": answers.send_status_refused("101", SMSID),
    "send_status_105": answers.send_status_not_found(SMSID),
    "balance": answers.balance(366_930_000, 9999),
    "balance_101": answers.balance_refused("101"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_the_golden_file_byte_for_byte(name: str) -> None:
    """Changing one is a reviewed act."""
    assert BODIES[name] == (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


def test_every_golden_body_is_produced() -> None:
    """No file is left that nothing emits."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(BODIES)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_compact_json_with_members_in_ordinal_order_and_no_null(name: str) -> None:
    """The habits of the serializer behind the original."""
    members = json.loads(BODIES[name])
    assert list(members) == sorted(members)
    assert None not in members.values()
    assert b": " not in BODIES[name]
    for code in ("CodeResult", "CodeResponse"):
        assert isinstance(members.get(code, ""), str)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet='"\\/é\n\x01'))
def test_whatever_the_customer_wrote_is_inert_in_the_body(smsid: str, text: str) -> None:
    """Ids and numbers that are echoed cannot break out of their string."""
    body = json.loads(answers.refused("108", text, 2, smsid))
    assert body == {
        "CodeResult": "108",
        "CountRegenerate": 0,
        "ErrorMessage": text,
        "SMSID": smsid,
        "SendStatus": "2",
    }
    assert json.loads(answers.send_status_not_found(smsid))["SMSID"] == smsid
    assert json.loads(answers.send_status(DELIVERED._replace(smsid=smsid)))["SMSID"] == smsid
    assert json.loads(answers.infrastructure_error(text)) == {"error": text}


def test_slashes_are_plain() -> None:
    """Clients cannot tell, and readers can."""
    assert answers.infrastructure_error("a/b") == b'{"error":"a/b"}'


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.0000"),
        (1, "0.0001"),
        (8_500_000, "850.0000"),
        (12_345_678, "1234.5678"),
        (-1, "-0.0001"),
        (-15_000, "-1.5000"),
    ],
)
def test_money_has_exactly_four_decimals(amount: int, text: str) -> None:
    """Integer arithmetic only."""
    assert answers.money(amount) == text


@pytest.mark.parametrize(
    ("amount", "token"),
    [(366_930_000, b"36693"), (1_000_000, b"100"), (0, b"0"), (15_000, b"1.5"), (1, b"0.0001"), (-5_000_000, b"-500")],
)
def test_a_balance_is_whole_when_it_has_no_fraction(amount: int, token: bytes) -> None:
    """It is a number token all the same."""
    assert answers.balance(amount, 1) == b'{"Balance":' + token + b',"CodeResponse":"100","UserID":1}'

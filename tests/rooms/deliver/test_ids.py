"""What a carrier account knows of its ids: recent submissions, and how receipts write them (promises 4.3)."""

import pytest

from bocau.core.outcome import IdForm
from bocau.deliver.ids import IdBook


def book(
    fixed: IdForm | None = None, learned: IdForm | None = None, size: int = 100
) -> tuple[IdBook[str], list[IdForm]]:
    """A book, and what it says it has learned."""
    told: list[IdForm] = []
    return IdBook(fixed, learned, told.append, size), told


def test_recent_ids_are_forgotten_in_the_order_of_coming() -> None:
    """A carrier that sends no receipts must not fill our memory."""
    ids, _ = book(size=3)
    for number in range(1, 6):
        ids.remember(f"m{number}", f"sent {number}")
    assert [ids.recall(f"M{number}")[1] for number in range(1, 6)] == [None, None, "sent 3", "sent 4", "sent 5"]
    assert ids.recall("m5") == ("m5", None)


@pytest.mark.parametrize(
    ("form", "receipt"), [(IdForm.SAME, "00FF10"), (IdForm.RECEIPT_DECIMAL, "65296"), (IdForm.RECEIPT_HEX, "00ff10")]
)
def test_twenty_matches_in_a_row_teach_how_receipts_write_ids(form: IdForm, receipt: str) -> None:
    """And from then on memory is found by it."""
    ids, told = book()
    key = {IdForm.SAME: "ff10", IdForm.RECEIPT_DECIMAL: "ff10", IdForm.RECEIPT_HEX: "65296"}[form]
    for _ in range(19):
        ids.saw(receipt, key)
    assert (ids.form, told) == (None, [])
    ids.saw(receipt, key)
    assert (ids.form, told) == (form, [form])
    ids.remember(key, "sent")
    assert ids.recall(receipt) == (key, "sent")
    assert ids.keys(receipt)[0] == key


def test_a_match_that_says_nothing_teaches_nothing() -> None:
    """One digit is the same in both bases, and a key of another id comes from no form."""
    ids, told = book()
    for _ in range(100):
        ids.saw("0007", "7")
        ids.saw("12", "999")
    assert (ids.form, told) == (None, [])


def test_one_odd_receipt_breaks_the_row_but_does_not_turn_over_what_was_learned() -> None:
    """Twenty of the other form do: the carrier has changed its ways."""
    ids, told = book()
    for number in range(30):
        ids.saw("10", "16" if number % 10 == 9 else "10")
    assert ids.form is None
    assert ids.learning.broken == 5
    for key in ["10"] * 20 + ["16"] * 19 + ["10"]:
        ids.saw("10", key)
    assert told == [IdForm.SAME]
    for _ in range(20):
        ids.saw("10", "16")
    assert told == [IdForm.SAME, IdForm.RECEIPT_HEX]


def test_what_the_profile_says_is_the_only_form_looked_for() -> None:
    """No learning, no guess in another base."""
    ids, told = book(IdForm.RECEIPT_HEX)
    for _ in range(50):
        ids.saw("10", "10")
    assert (ids.settled, ids.keys("10"), told) == (True, ("16",), [])
    assert ids.keys("no-number") == ("no-number",)


def test_what_an_earlier_start_learned_is_tried_first_and_not_alone() -> None:
    """The carrier may have changed while we were away."""
    ids, _ = book(learned=IdForm.RECEIPT_DECIMAL)
    assert (ids.form, ids.keys("10")) == (IdForm.RECEIPT_DECIMAL, ("a", "10", "16"))

"""What a carrier's profile makes of a submit."""

from typing import Any

import pytest
from msgspec.structs import replace

from bocau.core.message import AttemptKey, Message
from bocau.core.outcome import attempt_reference
from bocau.deliver.profile import Profile, make_submit, validity_of
from bocau.ports import PartOut, Submission
from bocau.wire.smpp.pdu import SubmitSm

NOW = 1_800_000_000_000
KEY = AttemptKey(77, 1, 1)
PART = PartOut(1, b"4821", 0, 0)


def submission(expires_in_ms: int = 300_000) -> Submission:
    """A message that is of use for so long."""
    nothing: list[Any] = [None] * len(Message.__struct_fields__)
    message = replace(Message(*nothing), expires_ms=NOW + expires_in_ms)
    return Submission(77, 1, 1, 1, "BOCAU", "0901234567", "otp", (PART,), message)


def test_a_plain_profile_adds_our_reference_alone() -> None:
    """A brandname, an international number, a receipt wanted."""
    reference = attempt_reference(KEY).to_bytes(2, "big")
    assert make_submit(Profile(), submission(), PART, KEY, "") == SubmitSm(
        source_addr_ton=5,
        source_addr="BOCAU",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="84901234567",
        registered_delivery=1,
        short_message=b"4821",
        tlvs=((0x0204, reference),),
    )


def test_every_setting_of_a_profile_stands_in_the_submit() -> None:
    """And the part's own parameters come before the vendor's."""
    profile = Profile(2, 8, 0, 0, "CMT", 64, 3, 17, 1, "none", False, ((0x1401, b"\x01"),))
    part = PartOut(1, b"x", 3, 0x40, ((0x020C, b"\0\1"),))
    made = make_submit(profile, submission(), part, KEY, "000000000500000R")
    assert made == SubmitSm(
        "CMT", 2, 8, "BOCAU", 0, 0, "84901234567", 0x40, 64, 3, "", "000000000500000R", 17, 1, 3, 0, b"x",
        ((0x020C, b"\0\1"), (0x1401, b"\x01")),
    )  # fmt: skip


def test_a_message_without_a_sender_has_no_type_of_number() -> None:
    """The carrier puts its own there."""
    made = make_submit(Profile(), replace(submission(), sender=""), PART, KEY, "")
    assert (made.source_addr_ton, made.source_addr) == (0, "")


@pytest.mark.parametrize(
    ("form", "left_ms", "text"),
    [
        ("none", 300_000, ""),
        ("relative", 300_000, "000000000500000R"),
        ("relative", 299_001, "000000000500000R"),
        ("relative", 86_400_000, "000001000000000R"),
        ("relative", -5, "000000000100000R"),
        ("absolute", 300_000, "270115080500000+"),
    ],
)
def test_the_carrier_is_told_what_is_left_of_the_time_to_live(form: str, left_ms: int, text: str) -> None:
    """Whole seconds, rounded up, a minute at least; 2027-01-15 08:00 UTC is the moment of this test."""
    assert validity_of(Profile(validity=form), submission(left_ms), NOW) == text


def test_a_submission_that_is_not_known_whole_tells_no_validity() -> None:
    """A guess could end a message early."""
    assert validity_of(Profile(validity="relative"), replace(submission(), message=None), NOW) == ""


def test_references_of_neighbours_differ() -> None:
    """Ids grow by one and parts by one: an echo must tell them apart."""
    base = 1 << 62
    keys = [AttemptKey(base + n, part, number) for n in range(40) for part in (1, 2, 3) for number in (1, 2)]
    assert len({attempt_reference(key) for key in keys}) >= len(keys) - 2

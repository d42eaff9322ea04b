"""What a sender name may look like."""

import pytest

from bocau.core.brandname import judge_name


@pytest.mark.parametrize("name", ["BOCAU", "Shop-24.7", "a_b", "MB1"])
def test_a_usual_name_has_nothing_to_say_about(name: str) -> None:
    """Letters, digits, point, dash, underscore; 3 to 11 characters."""
    assert judge_name(name) == ((), (), ())


@pytest.mark.parametrize("name", ["", "a" * 21, "Bảo", "a\nb", " shop", "shop "])
def test_what_cannot_leave_is_impossible(name: str) -> None:
    """SMPP carries 20 octets of ASCII."""
    assert judge_name(name).impossible


@pytest.mark.parametrize("name", ["ab", "A&B", "Bob's", "shop#1", "a{b", "Verify", "OTP"])
def test_what_most_carriers_refuse_is_unusual(name: str) -> None:
    """Too short, odd signs, no company's name: an operator must insist."""
    verdict = judge_name(name)
    assert verdict.unusual
    assert not verdict.impossible


@pytest.mark.parametrize("name", ["A shop with a name", "24hshop", "a" * 12])
def test_what_some_carriers_refuse_is_doubtful(name: str) -> None:
    """Long, a leading digit, a blank: row AM of esms-api 7 warns."""
    verdict = judge_name(name)
    assert verdict.doubtful
    assert (verdict.impossible, verdict.unusual) == ((), ())

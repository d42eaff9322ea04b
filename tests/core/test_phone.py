"""Phone numbers and networks, held against open metadata."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocau.core.numbering import shipped
from bocau.core.phone import mask, normalise, split_phones, to_e164
from bocau.core.telcos import RENUMBERED, TELCOS

BLOCKS = [f"0{first}{rest:02d}" for first in "35789" for rest in range(100)]
"""All prefixes of four digits that a mobile number may have."""
IN_USE = shipped().assigned

mobile = st.sampled_from(BLOCKS).flatmap(lambda block: st.from_regex(r"[0-9]{6}", fullmatch=True).map(block.__add__))


def test_the_odd_spellings_of_the_wire_are_kept() -> None:
    """Clients compare them as they are (esms-api 3.4)."""
    assert TELCOS[4].callback_name == "Vietnammobile"
    assert TELCOS[4].refusal_name == "Vietnammoile"
    assert (TELCOS[2].callback_name, TELCOS[2].receiver_name) == ("Mobi", "Mobifone")
    assert (TELCOS[3].callback_name, TELCOS[3].receiver_name, TELCOS[3].refusal_name) == (
        "Vina",
        "Vinaphone",
        "VinaPhone",
    )


@pytest.mark.parametrize(
    "text",
    [
        "0901888484",
        "84901888484",
        "+84901888484",
        "0084901888484",
        "901888484",
        "0901 888 484",
        "0901.888.484",
        "0901-888-484",
        "(0901) 888-484",
        "+84 (901) 888 484",
        " 0901888484 ",
        "00 84 901 888 484",
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(text: str) -> None:
    """Row V of esms-api 7."""
    assert normalise(text) == "0901888484"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "090188848",
        "09018884844",
        "0201888484",
        "0101888484",
        "0601888484",
        "201888484",
        "8490188848",
        "849018884841",
        "+840901888484",
        "++84901888484",
        "+0901888484",
        "0901888484+",
        "0901888484\n",
        "0901888484\t",
        "0901/888/484",
        "090188848a",
        "０901888484",
        "٠٩٠١٨٨٨٤٨٤",
        "²901888484",
        "+1 202 555 0100",
        "000000000000",
        "NULL",
        "0901888484,0901888485",
        "1638888484",
        "0130 1234567",
        "016112345678",
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    """Foreign digits, foreign countries, too short, too long, fixed lines (promises M16)."""
    assert normalise(text) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0162", "032"),
        ("0163", "033"),
        ("0164", "034"),
        ("0165", "035"),
        ("0166", "036"),
        ("0167", "037"),
        ("0168", "038"),
        ("0169", "039"),
        ("0120", "070"),
        ("0121", "079"),
        ("0122", "077"),
        ("0126", "076"),
        ("0128", "078"),
        ("0123", "083"),
        ("0124", "084"),
        ("0125", "085"),
        ("0127", "081"),
        ("0129", "082"),
        ("0186", "056"),
        ("0188", "058"),
        ("0199", "059"),
    ],
)
def test_a_number_from_before_2018_gets_its_new_prefix(old: str, new: str) -> None:
    """Esms-api 8.2, with and without the country code; the last seven digits stay."""
    assert normalise(f"{old}8484123") == f"{new}8484123"
    assert normalise(f"+84{old[1:]}8484123") == f"{new}8484123"
    assert normalise(f"84{old[1:]}8484123") == f"{new}8484123"
    assert RENUMBERED[old] == new


def test_there_are_21_old_prefixes() -> None:
    """No more than the test above lists."""
    assert len(RENUMBERED) == 21


def test_the_strict_rule_refuses_ranges_not_in_use() -> None:
    """Off by default: numbering changes faster than tables."""
    assert normalise("0710123456") == "0710123456"
    assert normalise("0710123456", assigned=IN_USE) is None
    assert normalise("710123456", assigned=IN_USE) is None
    assert normalise("0901888484", assigned=IN_USE) == "0901888484"
    assert normalise("+84 90 1888484", assigned=IN_USE) == "0901888484"


@given(mobile)
def test_a_normal_number_stays_and_its_spellings_lead_to_it(phone: str) -> None:
    """Normalising twice changes nothing; the international form comes back; metadata agrees with the form."""
    assert normalise(phone) == phone
    for text in (to_e164(phone), "+" + to_e164(phone), "00" + to_e164(phone), phone[1:]):
        assert normalise(text) == phone
    parsed = phonenumbers.parse(phone, "VN")
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == "+" + to_e164(phone)


@given(st.text() | st.text(st.sampled_from("0123456789+84 .-()"), max_size=16))
def test_any_text_is_a_ten_digit_number_or_nothing(text: str) -> None:
    """Garbage raises nothing, and what comes out is normal."""
    phone = normalise(text)
    if phone is not None:
        assert len(phone) == 10
        assert phone.isascii()
        assert phone.isdigit()
        assert phone[:2] in {"03", "05", "07", "08", "09"}
        assert normalise(phone) == phone
        assert 0 <= shipped().telco_of(phone) <= 7


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("0901888484", ["0901888484"]),
        ("0901888484,0902888484", ["0901888484", "0902888484"]),
        ("0901888484; 0902888484\r\n0903888484\n", ["0901888484", "0902888484", "0903888484"]),
        ("0901888484,0901888484,,", ["0901888484"]),
        (" +84 901 888 484 , x ", ["+84 901 888 484", "x"]),
        (",;\n", []),
        ("", []),
    ],
)
def test_numbers_are_parted_at_comma_semicolon_and_line_end(text: str, phones: list[str]) -> None:
    """Row U of esms-api 7; order stays, equal spellings fall together."""
    assert split_phones(text) == phones


@given(st.lists(mobile, min_size=1, unique=True), st.sampled_from([",", ";", "\n", "\r\n", " , ", ";;"]))
def test_what_is_joined_is_split_again(phones: list[str], separator: str) -> None:
    """Whatever separator the client likes."""
    assert split_phones(separator.join(phones)) == phones


def test_a_masked_number_shows_three_digits_at_each_end() -> None:
    """The form that logs and pasted timelines carry."""
    assert mask("0901888484") == "090****484"
    assert mask("84901888484") == "849****484"


@given(st.text())
def test_text_that_is_no_number_is_masked_whole(text: str) -> None:
    """A mask never shows more than six digits."""
    masked = mask(text)
    assert masked == "****" or (text.isascii() and text.isdigit() and masked == f"{text[:3]}****{text[-3:]}")


EXAMPLES = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"VN"})
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
]
CLOSED = [
    *("19001234", "1900123456", "+841900123456", "18001234", "1800123456", "113", "114", "8755", "6394", "9029"),
    *("02438123456", "0281234567", "+842838123456", "0241234567", "04381234567", "0671234567", "0111234567"),
]


def test_every_other_country_and_every_expensive_number_is_closed() -> None:
    """Promises S8: some hundred numbers of all countries, premium, free, short and fixed ones of our own."""
    assert len(EXAMPLES) > 400
    opened = [text for number in EXAMPLES for text in (number, f"00{number[1:]}") if normalise(text) is not None]
    assert opened == []
    assert [text for text in CLOSED if normalise(text) is not None] == []

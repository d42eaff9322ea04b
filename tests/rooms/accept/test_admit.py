"""An admission: the rows of one request, with their ids, states and moments."""

from msgspec.structs import asdict, replace
from tests.rooms.accept.shop import NOW, PHONES, POLICY, REQUEST, TEXT, VND, Stock, directory

from bocau.accept.admit import admission
from bocau.accept.checks import Draft, check
from bocau.core.ids import Ids, first_id_at, head_of
from bocau.core.message import Admission
from bocau.wire.esms.send import SendRequest

TOKEN = bytes.fromhex("0123456789abcdef")
OTP_MS, OTHER_MS = 300_000, 86_400_000
TTL = {"otp": OTP_MS, "other": OTHER_MS}
OURS = 9
HOUR = 3_600_000
LATER = "2027-01-15 16:00:00"
FULL = replace(REQUEST, request_id="login-77", campaign_id="log-in", callback_url="https://shop.example/hook")


def admitted(request: SendRequest, owner: int = 0, stock: Stock | None = None, ids: Ids | None = None) -> Admission:
    """The rows of a request that passes, or is stored as rejected."""
    draft = check(request, directory(stock or Stock()), POLICY, NOW)
    assert isinstance(draft, Draft)
    return admission(request, draft, ids or Ids(7), TOKEN, NOW, TTL, owner)


def test_the_row_of_a_plain_request_has_every_field_of_it() -> None:
    """Due at once and in this node's hand: it is looked at again only when it is too old."""
    rows = admitted(FULL, OURS)
    (message,) = rows.messages
    assert asdict(message) == {
        "id": message.id,
        "head": message.id,
        "account_id": 1,
        "smsid": f"{message.id:016x}0123456789abcdef007",
        "receivers": 1,
        "dropped": 0,
        "request_id": "login-77",
        "campaign_id": "log-in",
        "sms_type": 2,
        "route_class": "otp",
        "brandname": "BOCAU",
        "phone": PHONES[2],
        "telco": 2,
        "content": TEXT,
        "parts": 1,
        "price": 850 * VND,
        "callback_url": "https://shop.example/hook",
        "state": "queued",
        "reason": "",
        "owner": OURS,
        "tries": 0,
        "carrier": "",
        "reference": 0,
        "created_ms": NOW,
        "release_ms": NOW,
        "due_ms": NOW,
        "expires_ms": NOW + OTP_MS,
        "wake_ms": NOW + OTP_MS,
        "final_ms": None,
    }
    assert (rows.hold, rows.consumes_request_id) == (850 * VND, True)


def test_a_message_in_nobody_s_hand_is_due_at_once() -> None:
    """It is claimed from the store, and looked at again when it is too old."""
    (message,) = admitted(FULL).messages
    assert (message.state, message.owner, message.release_ms, message.due_ms) == ("queued", 0, NOW, NOW)
    assert message.wake_ms == message.expires_ms == NOW + OTP_MS


def test_a_scheduled_message_wakes_at_its_release_and_lives_from_then() -> None:
    """Nobody holds it in memory meanwhile, whoever was asked to (P9: time-to-live counts from the release)."""
    (message,) = admitted(replace(FULL, send_date=LATER), OURS).messages
    assert (message.state, message.owner, message.created_ms) == ("scheduled", 0, NOW)
    assert message.release_ms == message.due_ms == message.wake_ms == NOW + HOUR
    assert message.expires_ms == NOW + HOUR + OTP_MS
    assert message.final_ms is None


def test_the_time_to_live_follows_the_class_of_each_message() -> None:
    """Five minutes for a code, a day for other texts."""
    (message,) = admitted(replace(FULL, content="BOCAU cam on ban")).messages
    assert (message.route_class, message.expires_ms) == ("other", NOW + OTHER_MS)
    (code,) = admitted(replace(FULL, sms_type="8", content="4821")).messages
    assert (code.route_class, code.sms_type, code.brandname, code.expires_ms) == ("otp", 8, "", NOW + OTP_MS)


def test_a_rejected_message_is_final_from_the_start() -> None:
    """146: no hold, no RequestId, no callback, nobody's hand, nothing to wake for; the reason is kept."""
    rows = admitted(replace(FULL, content="no template", send_date=LATER), OURS)
    (message,) = rows.messages
    assert (message.state, message.owner, message.wake_ms, message.final_ms) == ("rejected", 0, None, NOW)
    assert (message.callback_url, message.price, message.release_ms) == ("", 0, NOW + HOUR)
    assert message.reason.startswith("template 2 (Mobifone) differs at character 4:")
    assert message.content == "no template"
    assert (rows.hold, rows.consumes_request_id) == (0, False)


def test_messages_of_one_request_share_head_and_smsid() -> None:
    """One row for each receiver, each with its own id, network, price and class; the hold is their sum."""
    stock = Stock(
        templates=((1, "BOCAU", 1, "{P1,8} la ma dang nhap BOCAU cua ban", "otp"), (2, "BOCAU", 2, TEXT, "other")),
        prices=((2, 1, 520), (2, 2, 850)),
    )
    phones = f"{PHONES[1]},12345,{PHONES[2]},{PHONES[3]}"
    ids = Ids(7)
    rows = admitted(replace(FULL, phone=phones), OURS, stock, ids)
    first, second = rows.messages
    assert first.id == first.head == second.head
    assert second.id == first.id + 1
    assert first.smsid == second.smsid
    assert head_of(first.smsid) == first.id
    assert [(m.phone, m.telco, m.price, m.route_class) for m in rows.messages] == [
        (PHONES[1], 1, 520 * VND, "otp"),
        (PHONES[2], 2, 850 * VND, "other"),
    ]
    assert [(m.receivers, m.dropped) for m in rows.messages] == [(4, 2)] * 2
    assert [m.wake_ms for m in rows.messages] == [NOW + OTP_MS, NOW + OTHER_MS]
    assert {m.request_id for m in rows.messages} == {"login-77"}
    assert rows.hold == 1370 * VND
    assert ids.next(NOW) == second.id + 1


def test_a_rejected_list_counts_all_of_its_receivers() -> None:
    """One row stands for them."""
    rows = admitted(replace(FULL, phone=f"{PHONES[1]},{PHONES[2]},12345", content="no template"))
    assert [(m.phone, m.receivers, m.dropped) for m in rows.messages] == [(PHONES[1], 3, 2)]


def test_ids_grow_with_time_and_never_repeat_within_a_long_list() -> None:
    """A thousand receivers, the most there are, stay close enough together to be found by their head."""
    phones = ",".join(f"09{number:08d}" for number in range(1000))
    ids = Ids(1023)
    rows = [admitted(replace(FULL, phone=phones, sms_type="2"), ids=ids) for _ in range(6)]
    drawn = [message.id for request in rows for message in request.messages]
    assert drawn == sorted(set(drawn))
    assert drawn[0] >= first_id_at(NOW)
    for request in rows:
        assert request.messages[-1].id - request.messages[0].head < 8_388_608, "the span that the store reads"
    assert {message.smsid[-3:] for request in rows for message in request.messages} == {"023"}

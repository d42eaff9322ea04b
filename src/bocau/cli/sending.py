"""`bocau send` and `bocau status`: what a customer's program does, from the command line."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bocau.cli.options import ApiKey, ApiUrl, Json, SecretKey, Wait
from bocau.cli.output import Trouble, complain, facts, plain, told

if TYPE_CHECKING:
    from bocau.cli.api_calls import Answer, Customer, NoAnswer

__all__ = ["send", "status"]

_URL: Final = "http://127.0.0.1:8484"
_ACCEPTED: Final = "100"
_REJECTED: Final = 4
_FINISHED: Final = 5
_WORDS: Final = {
    1: "awaiting approval",
    2: "waiting to be sent",
    3: "being sent",
    _REJECTED: "rejected",
    _FINISHED: "finished",
    6: "deleted",
    7: "handed to the network, waiting for its receipt",
}
"""SendStatus in words (esms-api 3.3)."""
_FINAL: Final = (_REJECTED, _FINISHED, 6)


def send(
    phone: Annotated[str, typer.Option("--phone", help="The receiver, such as 0901234567; several with commas.")],
    content: Annotated[str, typer.Option("--content", help="The text; for type 8, a text with the code in it.")],
    brandname: Annotated[str, typer.Option("--brandname", help="The sender, for type 2.")] = "Baotrixemay",
    sms_type: Annotated[str, typer.Option("--type", help="2: brandname, 8: a number of the network.")] = "2",
    request_id: Annotated[str, typer.Option("--request-id", help="Own key: the same one is accepted once.")] = "",
    callback_url: Annotated[str, typer.Option("--callback-url", help="Called with the outcome.")] = "",
    send_date: Annotated[str, typer.Option("--send-date", help="Not before: 2026-12-31 08:30:00, Vietnam time.")] = "",
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Check everything, send nothing.")] = False,
    unicode: Annotated[bool, typer.Option("--unicode", help="Keep diacritics (IsUnicode 1).")] = False,
    wait: Wait = 0.0,
    url: ApiUrl = _URL,
    api_key: ApiKey = None,
    secret_key: SecretKey = None,
    as_json: Json = False,
) -> None:
    """Send a message through the API of a running gateway.

    Exit code 0: accepted; with --wait: delivered to every receiver within that time.
    """
    optional = {
        "Brandname": brandname if sms_type == "2" else "",
        "RequestId": request_id,
        "CallbackUrl": callback_url,
        "SendDate": send_date,
        "Sandbox": "1" if sandbox else "",
        "IsUnicode": "1" if unicode else "",
    }
    with told(as_json):
        from bocau.cli.api_calls import NoAnswer, customer, post

        who = customer(url, api_key, secret_key)
        members = {"ApiKey": who.api_key, "SecretKey": who.secret_key, "Phone": phone, "Content": content}
        members |= {"SmsType": sms_type, **{name: value for name, value in optional.items() if value}}
        try:
            answer = post(url, "SendMultipleMessage_V4_post_json/", members)
        except NoAnswer as nobody:
            raise Trouble(_in_doubt(nobody, request_id)) from nobody
        smsid = str(answer.members.get("SMSID", ""))
        accepted = answer.members.get("CodeResult") == _ACCEPTED
        if accepted and wait and not sandbox:
            _follow(answer, who, smsid, wait, as_json)
            return
        if as_json:
            print(answer.raw.decode("utf-8", "replace").strip())
        elif accepted:
            _tell_accepted(smsid, sandbox)
        else:
            _tell_refused(answer, str(answer.members.get("CodeResult")))
        if not accepted:
            raise typer.Exit(1)


def _in_doubt(nobody: "NoAnswer", request_id: str) -> str:
    """No answer to a send: what is safe to do."""
    if not nobody.sent:
        return str(nobody)
    if request_id:
        return f"{nobody} It may have been accepted all the same. Repeat it with the same --request-id: once is enough."
    return f"{nobody} It may have been accepted all the same; with a --request-id, repeating it would be harmless."


def _follow(answer: "Answer", who: "Customer", smsid: str, wait: float, as_json: bool) -> None:
    """Print the answer to a send together with its outcome."""
    if not as_json:
        facts([("Accepted", "code 100"), ("SMSID", smsid)])
    told_status = _ask_status(who, smsid, wait)
    if as_json:
        import msgspec

        both = {"send": msgspec.Raw(answer.raw), "status": msgspec.Raw(told_status.raw)}
        print(msgspec.json.encode(both).decode("utf-8", "replace"))
    else:
        _tell_status(told_status, with_smsid=False)
    if not _delivered(told_status.members):
        if told_status.members.get("SendStatus") not in _FINAL and not as_json:
            complain(f"No outcome within {wait:g} s. Ask again later: bocau status {smsid}", as_json)
        raise typer.Exit(1)


def status(
    smsid: Annotated[str, typer.Argument(metavar="SMSID", help="From the answer to the send.")],
    wait: Wait = 0.0,
    url: ApiUrl = _URL,
    api_key: ApiKey = None,
    secret_key: SecretKey = None,
    as_json: Json = False,
) -> None:
    """Ask what became of a message sent within the last 7 days.

    Exit code 0: it was found, whatever became of it.
    """
    with told(as_json):
        from bocau.cli.api_calls import customer

        answer = _ask_status(customer(url, api_key, secret_key), smsid, wait)
        if as_json:
            print(answer.raw.decode("utf-8", "replace").strip())
        else:
            _tell_status(answer)
        if answer.members.get("CodeResponse") != _ACCEPTED:
            raise typer.Exit(1)


def _ask_status(who: "Customer", smsid: str, wait: float) -> "Answer":
    """The status, asked for until it is final or the time is over."""
    import time

    from bocau.cli.api_calls import patiently, post

    if not smsid:
        raise Trouble("The answer has no SMSID to ask about.")
    members = {"ApiKey": who.api_key, "SecretKey": who.secret_key, "RefId": smsid}

    def final(answer: "Answer") -> bool:
        return answer.members.get("CodeResponse") != _ACCEPTED or answer.members.get("SendStatus") in _FINAL

    return patiently(lambda: post(who.url, "GetSendStatus", members), final, wait, time.monotonic, time.sleep)


def _tell_accepted(smsid: str, sandbox: bool) -> None:
    if sandbox:
        facts([("Accepted", "code 100, in the sandbox: nothing is sent or kept"), ("SMSID", smsid)])
        return
    facts([("Accepted", "code 100"), ("SMSID", smsid), ("Outcome", f"bocau status {smsid}")])


def _tell_refused(answer: "Answer", code: str) -> None:
    """The answer, what it means, and what to do."""
    from bocau.wire.esms.codes import CODES

    row = CODES.get(code)
    rows: list[tuple[str, object]] = [("Refused", f"code {code}{f', {row.name}' if row else ''}")]
    for label, value in (
        ("Message", answer.members.get("ErrorMessage")),
        ("Reason", answer.reason),
        ("SMSID", answer.members.get("SMSID")),
        ("First SMSID", answer.headers.get("x-bocau-smsid")),
        ("Cause", row.cause if row else ""),
        ("Fix", row.fix if row else ""),
    ):
        if value:
            rows.append((label, value))
    facts(rows)


def _tell_status(answer: "Answer", with_smsid: bool = True) -> None:
    members = answer.members
    code = str(members.get("CodeResponse", members.get("CodeResult")))
    if code != _ACCEPTED:
        _tell_refused(answer, code)
        return
    number = members.get("SendStatus")
    counts = f"{members.get('TotalReceiver')}, sent {members.get('TotalSent')}"
    facts(
        [
            *([("SMSID", members.get("SMSID"))] if with_smsid else []),
            ("Status", f"{_outcome(members)} (SendStatus {number})"),
            ("Receivers", f"{counts}, delivered {members.get('SendSuccess')}, failed {members.get('SendFailed')}"),
            ("Price", f"{_price(answer)} VND"),
            *_duplicates(answer),
        ]
    )


def _duplicates(answer: "Answer") -> list[tuple[str, object]]:
    """Whether some receiver may have got the text twice: told in a header, since the API has no member for it."""
    from bocau.console.telling import POSSIBLE_DUPLICATE
    from bocau.wire.esms.status import DUPLICATES_HEADER

    return [("Note", POSSIBLE_DUPLICATE)] if answer.headers.get(DUPLICATES_HEADER.lower()) else []


def _outcome(members: dict[str, Any]) -> str:
    """The status in words; a finished one by what became of it."""
    number = members.get("SendStatus")
    if number != _FINISHED:
        return _WORDS.get(number, "unknown") if isinstance(number, int) else "unknown"
    if not members.get("SendFailed"):
        return "delivered"
    return "delivered to some receivers" if members.get("SendSuccess") else "not delivered"


def _price(answer: "Answer") -> str:
    """TotalPrice as it was written, with its four decimals."""
    import json
    from decimal import Decimal

    return plain(str(json.loads(answer.raw, parse_float=Decimal).get("TotalPrice")))


def _delivered(members: dict[str, Any]) -> bool:
    return members.get("SendStatus") == _FINISHED and not members.get("SendFailed")

"""What Python clients of the API do, in one program: `python client.py http://127.0.0.1:8484`. Standard library only.

Prints one line for each habit, "ok NAME" or "failed NAME: why"; every habit is one that was seen in the field.
"""

import json
import sys
import urllib.request
from collections.abc import Callable
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

BASE = sys.argv[1]
SERVICE = f"{BASE}/MainService.svc"
KEYS = {"ApiKey": "bocau-dev", "SecretKey": "bocau-dev-secret"}
TEXT = "4821 la ma xac minh dang ky Baotrixemay cua ban"
SMS = {**KEYS, "Content": TEXT, "Phone": "0901234567", "Brandname": "Baotrixemay", "SmsType": "2"}
DOCUMENT = """<RQST>
<APIKEY>bocau-dev</APIKEY><SECRETKEY>bocau-dev-secret</SECRETKEY><CONTENT>{text}</CONTENT>
<SMSTYPE>2</SMSTYPE><BRANDNAME>{brandname}</BRANDNAME><ISFLASH>0</ISFLASH><UNICODE>0</UNICODE>
<CONTACTS>{customers}</CONTACTS>
</RQST>"""


def call(path: str, body: bytes | None = None, **headers: str) -> bytes:
    """One request; HTTP errors end it, as in every client."""
    request = urllib.request.Request(f"{SERVICE}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=15) as answer:
        found: bytes = answer.read()
    return found


def accepted(body: bytes) -> str:
    """The SMSID of a send, read before the code, as one client does."""
    reply = json.loads(body)
    smsid, code = reply["SMSID"], int(reply["CodeResult"])
    assert code == 100, reply
    return str(smsid)


def document(customers: str, text: str = TEXT, brandname: str = "Baotrixemay") -> bytes:
    """An XML body made by string formatting, so that nothing is escaped."""
    return DOCUMENT.format(customers=customers, text=text, brandname=brandname).encode()


def upper_case_query() -> None:
    """All names in upper case."""
    query = urlencode({name.upper(): value for name, value in SMS.items()})
    accepted(call(f"/json/SendMultipleMessage_V4_get?{query}"))


def upper_case_form() -> None:
    """The same as a form."""
    accepted(call("/json/SendMultipleMessage_V4_post/", urlencode({k.upper(): v for k, v in SMS.items()}).encode()))


def documented_form() -> None:
    """With Apikey, as the form page spells it, and a text with accents that nobody flagged."""
    members = {"Apikey": KEYS["ApiKey"], **SMS, "Content": "4821 là mã xác minh đăng ký Baotrixemay của bạn"}
    accepted(call("/json/SendMultipleMessage_V4_post/", urlencode(members).encode()))


def xml_labelled_as_form() -> None:
    """XML text under the type that urllib sets by itself; JSON comes back under /json/."""
    body = document("<CUSTOMER><PHONE>0901234567</PHONE></CUSTOMER>")
    accepted(call("/json/SendMultipleMessage_V4/", body))


def xml_with_wrapped_customers() -> None:
    """Each customer inside an extra element, XML back, whose root is compared."""
    customers = "".join(f"<item><CUSTOMER><PHONE>090123456{n}</PHONE></CUSTOMER></item>" for n in (4, 5, 6))
    for operation in ("SendMultipleMessage_V4", "SendMultipleMessage_V2"):
        reply = ElementTree.fromstring(
            call(f"/xml/{operation}/", document(customers), **{"Content-Type": "text/plain"})
        )
        assert reply.tag == "SmsResultModel", reply.tag
        assert reply.findtext("CodeResult") == "100"
        status = json.loads(call(f"/json/GetSendStatus?RefId={reply.findtext('SMSID')}&{urlencode(KEYS)}"))
        assert status["TotalReceiver"] == 3, status


def xml_without_escaping() -> None:
    """An ampersand in the text, as it is."""
    body = document(
        "<CUSTOMER><PHONE>0901234567</PHONE></CUSTOMER>", "Bocau xin chao A & B, cam on ban da dang ky", "Bocau"
    )
    accepted(call("/json/SendMultipleMessage_V4/", body))


def list_of_numbers() -> None:
    """Commas in Phone, in the spellings of a spreadsheet."""
    phones = "0901 234 567,84.98.1234567,+84911234567,921234567"
    smsid = accepted(call(f"/json/SendMultipleMessage_V4_get?{urlencode({**SMS, 'Phone': phones}, quote_via=quote)}"))
    listed = json.loads(call(f"/json/GetSmsReceiverStatus_get?&RefId={smsid}&{urlencode(KEYS)}"))
    assert [row["Phone"] for row in listed["ReceiverList"]] == ["0901234567", "0981234567", "0911234567", "0921234567"]


def templates() -> None:
    """The templates of a brandname, posted."""
    body = json.dumps({**KEYS, "SmsType": 2, "BrandName": "Baotrixemay"}).encode()
    reply = json.loads(call("/json/GetTemplate/", body))
    assert {row["NetworkID"] for row in reply["BrandnameTemplates"]} == set(range(1, 8)), reply


def spoken_code() -> None:
    """VoiceOTP, and its status by ReferenceId."""
    reply = json.loads(call(f"/json/VoiceOTP?{urlencode({**KEYS, 'Phone': '0901234567', 'Code': '482193'})}"))
    assert set(reply) == {"CodeResult", "SMSID"}, reply
    status = json.loads(call(f"/json/GetSendStatus?{urlencode({**KEYS, 'ReferenceId': reply['SMSID']})}"))
    assert status["CodeResponse"] == "100", status


def refusal_is_readable() -> None:
    """HTTP 200 with the code and its text."""
    reply = json.loads(call("/json/SendMultipleMessage_V4_post_json/", json.dumps({**SMS, "Brandname": ""}).encode()))
    assert (reply["CodeResult"], reply["ErrorMessage"]) == ("104", "Brand name code is not exist")


HABITS: tuple[Callable[[], None], ...] = (
    upper_case_query,
    upper_case_form,
    documented_form,
    xml_labelled_as_form,
    xml_with_wrapped_customers,
    xml_without_escaping,
    list_of_numbers,
    templates,
    spoken_code,
    refusal_is_readable,
)

for habit in HABITS:
    name = habit.__name__.replace("_", " ")
    try:
        habit()
        print("ok", name)
    except Exception as error:  # noqa: BLE001 - the line says what it was
        print(f"failed {name}: {error!r}")

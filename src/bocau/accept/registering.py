"""A customer asks for a template: the checks of SubServicePreviewJson, in their order (esms-api 3.9). Pure."""

from typing import Final

from bocau.accept.entry import Visit, enter
from bocau.core.directory import Directory, Scope
from bocau.core.refusal import Refusal
from bocau.core.registration import LONGEST_CONTENT, PENDING, Registration
from bocau.core.template import TemplateError, parse
from bocau.core.text import nfc
from bocau.wire.esms import codes
from bocau.wire.esms.callback import is_callback_target
from bocau.wire.esms.registration import PreviewRequest

__all__ = ["judge"]

_SERVICE: Final = "2"
_TYPES: Final = {"2": 2, "8": 8}
_BRANDNAME_TYPE: Final = 2


def judge(
    request: PreviewRequest, directory: Directory, now_ms: int, visit: Visit | None = None
) -> Registration | Refusal:
    """The registration to store, or the first refusal: keys, account, service type, type, text, brandname.

    It needs a key that may send. Without a visit nothing is counted and no address is asked for.

    A CallbackUrl that cannot be called is ignored, as in a send.
    """
    key = enter(directory, request.api_key, request.secret_key, visit or Visit(Scope.SEND), now_ms)
    if isinstance(key, Refusal):
        return key
    account = key.account
    if request.service_type != _SERVICE:
        return _refuse(codes.SERVICE_TYPE_UNSUPPORTED, "ServiceType is not 2")
    sms_type = _TYPES.get(request.sms_type)
    if sms_type is None:
        missing = not request.sms_type
        code = codes.SMS_TYPE_MISSING if missing else codes.SMS_TYPE_UNSUPPORTED
        return _refuse(code, "SmsType is missing" if missing else "this SmsType is not supported; 2 and 8 are")
    try:
        content = parse(request.content).text
    except TemplateError as error:
        return _refuse(codes.INVALID_FIELD, f"Content: {error}", codes.field_invalid("Content"))
    if len(content) > LONGEST_CONTENT:
        reason = f"Content has {len(content)} characters, at most {LONGEST_CONTENT}"
        return _refuse(codes.INVALID_FIELD, reason, codes.field_invalid("Content"))
    brandname = account.brandname(_BRANDNAME_TYPE, nfc(request.brandname.strip()))
    if brandname is None or not brandname.active or key.brandname not in ("", brandname.name):
        return _refuse(codes.BRANDNAME_UNKNOWN, "the account has no active brandname of this spelling")
    url = request.callback_url if is_callback_target(request.callback_url) else ""
    return Registration(0, account.id, sms_type, brandname.name, content, url, PENDING, "", now_ms)


def _refuse(code: str, reason: str, text: str | None = None) -> Refusal:
    return Refusal(code, codes.text(code) if text is None else text, reason)

"""The questions a customer may ask: status of a message, balance (esms-api 3.5, 3.7)."""

from typing import NamedTuple

from bocau.wire.esms import parameters

__all__ = ["Keys", "StatusQuery", "decode_keys", "decode_status"]


class Keys(NamedTuple):
    """Who asks."""

    api_key: str
    secret_key: str

    def __repr__(self) -> str:
        """Without the keys (promises S1)."""
        return "Keys(...)"


class StatusQuery(NamedTuple):
    """GetSendStatus: who asks, and about which id."""

    keys: Keys
    smsid: str
    """As it was sent, trimmed."""
    voice: bool = False
    """It came as ReferenceId, so the caller expects the voice shape (esms-api 3.5, 4.1)."""


def decode_keys(body: bytes, query: bytes = b"", arguments: tuple[str, ...] = ()) -> Keys:
    """The keys of a query, from its path arguments (ApiKey, SecretKey) where given, else from body and query.

    Missing keys are empty. Raises parameters.Malformed.
    """
    if len(arguments) == 2 and all(arguments):
        return Keys(*arguments)
    return _keys(parameters.decode(body, query))


def decode_status(body: bytes, query: bytes = b"") -> StatusQuery:
    """The question of GetSendStatus; RefId wins over ReferenceId and SMSID. Raises parameters.Malformed."""
    values = parameters.decode(body, query)
    refid = values.get("refid", "").strip()
    if refid:
        return StatusQuery(_keys(values), refid)
    reference = values.get("referenceid", "").strip()
    return StatusQuery(_keys(values), reference or values.get("smsid", "").strip(), voice=reference != "")


def _keys(values: dict[str, str]) -> Keys:
    """The keys among the parameters."""
    return Keys(values.get("apikey", ""), values.get("secretkey", ""))

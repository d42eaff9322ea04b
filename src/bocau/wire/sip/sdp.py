"""Session descriptions for one stream of G.711 with RFC 4733 keys (RFC 4566, 3264, 3605, 4568, 4733).

We offer; the peer answers, and may offer anew during the call. Anything but one audio stream is declined: over RTP/AVP,
or over RTP/SAVP with a key of each side where ours has one. Nothing is ever agreed in between.
"""

import base64
import binascii
import re
from enum import Enum
from typing import Final, NamedTuple

from bocau.wire.sip.message import FieldError

__all__ = [
    "EVENT_TYPE",
    "MAX_SDP",
    "BadSdp",
    "Codec",
    "LocalMedia",
    "RemoteMedia",
    "make_answer",
    "make_offer",
    "read_answer",
]

MAX_SDP: Final = 8_192
"""Octets of a description that is read."""
EVENT_TYPE: Final = 101
"""The payload type that we offer for RFC 4733 events."""

_MAX_STREAMS: Final = 8
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_ADDRESS: Final = re.compile(r"IN IP[46] ([0-9A-Fa-f:.]{2,45}|[A-Za-z0-9\-.]{1,253})(?:/[0-9/]{1,8})?")
_SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
_KEY_SIZE: Final = 30
# One key, which may have a life time but no identifier in each packet (MKI), and no session parameters.
_CRYPTO: Final = re.compile(
    rf"([0-9]{{1,9}})\s+{_SUITE}\s+inline:([A-Za-z0-9+/=]{{40,64}})(?:\|(?:2\^)?[0-9]{{1,20}})?\s*", re.IGNORECASE
)
_RTPMAP: Final = re.compile(r"([0-9]{1,3})\s+([A-Za-z0-9\-_.]{1,32})/([0-9]{1,6})(?:/[0-9]{1,2})?")


class BadSdp(ValueError):  # noqa: N818 - the peer's description is bad, we have no error
    """No description, or none that we could speak under. The only exception of the readers here."""


class Codec(Enum):
    """A codec: its name in rtpmap, and its static payload type as value (RFC 3551)."""

    PCMU = 0
    PCMA = 8


class LocalMedia(NamedTuple):
    """Our end of a stream."""

    host: str
    """The address the peer is to send to."""
    port: int
    rtcp_port: int
    session: int
    """Number of the session, the same for the whole call; not negative."""
    codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU)
    """What we speak, the better liked first."""
    key: bytes = b""
    """Our master key and salt for SRTP, 30 octets; empty: the sound is not enciphered."""

    def __repr__(self) -> str:
        """Without the key (promises S1)."""
        return f"LocalMedia({self.host}:{self.port}{', enciphered' if self.key else ''})"


class RemoteMedia(NamedTuple):
    """The peer's end of a stream, as agreed."""

    host: str
    port: int
    rtcp_port: int
    codec: Codec
    payload_type: int
    event_type: int | None
    """The payload type of RFC 4733 events; None: the peer sends none."""
    hears: bool
    """Whether the peer wants to get audio now."""
    speaks: bool
    """Whether the peer wants to send audio now."""
    key: bytes = b""
    """The peer's master key and salt, if the sound is enciphered."""
    key_tag: int = 1
    """The number of the peer's key in its description."""

    def __repr__(self) -> str:
        """Without the key (promises S1)."""
        return f"RemoteMedia({self.host}:{self.port} {self.codec.name}{', enciphered' if self.key else ''})"


class _Stream(NamedTuple):
    """One m= line with what belongs to it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str
    attributes: tuple[tuple[str, str], ...]


def make_offer(local: LocalMedia, version: int = 1) -> bytes:
    """Our offer. `version` grows with every description of the call. Raises FieldError for a host that is none."""
    types = [str(codec.value) for codec in local.codecs]
    lines = [f"m=audio {local.port} {_profile(local)} {' '.join([*types, str(EVENT_TYPE)])}", *_key_lines(local, 1)]
    lines += [f"a=rtpmap:{codec.value} {codec.name}/8000" for codec in local.codecs]
    lines += [*_event_lines(EVENT_TYPE), *_tail(local), "a=sendrecv"]
    return _description(local, version, lines)


def make_answer(local: LocalMedia, offered: bytes, version: int) -> tuple[RemoteMedia, bytes]:
    """The answer to an offer of the peer, and what it agrees on; streams beyond the first audio are refused by port 0.

    Raises BadSdp if the offer holds nothing that we speak.
    """
    streams = _streams(offered)
    at, remote = _pick(streams, local)
    lines: list[str] = []
    for number, stream in enumerate(streams):
        if number != at:
            lines.append(f"m={stream.kind} 0 {stream.protocol} {' '.join(stream.formats)}")
            continue
        types = [remote.payload_type, *([] if remote.event_type is None else [remote.event_type])]
        lines.append(f"m=audio {local.port} {stream.protocol} {' '.join(map(str, types))}")
        lines += _key_lines(local, remote.key_tag)
        lines.append(f"a=rtpmap:{remote.payload_type} {remote.codec.name}/8000")
        lines += [] if remote.event_type is None else _event_lines(remote.event_type)
        lines += [*_tail(local), f"a={_DIRECTIONS[remote.speaks, remote.hears]}"]
    return remote, _description(local, version, lines)


# By what the peer does: it speaks, it hears. The direction that we answer with.
_DIRECTIONS: Final = {
    (True, True): "sendrecv",
    (True, False): "recvonly",
    (False, True): "sendonly",
    (False, False): "inactive",
}


def _profile(local: LocalMedia) -> str:
    return "RTP/SAVP" if local.key else "RTP/AVP"


def _key_lines(local: LocalMedia, tag: int) -> list[str]:
    """Our key, in the clear: whoever reads the description can hear the call, so it should go over TLS."""
    if not local.key:
        return []
    return [f"a=crypto:{tag} {_SUITE} inline:{base64.b64encode(local.key).decode('ascii')}"]


def _event_lines(payload_type: int) -> list[str]:
    return [f"a=rtpmap:{payload_type} telephone-event/8000", f"a=fmtp:{payload_type} 0-15"]


def _tail(local: LocalMedia) -> list[str]:
    return ["a=ptime:20", f"a=rtcp:{local.rtcp_port}"]


def _description(local: LocalMedia, version: int, media: list[str]) -> bytes:
    if re.fullmatch(r"[0-9A-Fa-f:.]{2,45}", local.host) is None:
        raise FieldError("a media host must be an address")
    address = f"IN {'IP6' if ':' in local.host else 'IP4'} {local.host}"
    head = ["v=0", f"o=- {local.session} {version} {address}", "s=-", f"c={address}", "t=0 0"]
    return ("\r\n".join([*head, *media]) + "\r\n").encode("ascii")


def read_answer(body: bytes, local: LocalMedia) -> RemoteMedia:
    """What the peer's answer agrees on. Raises BadSdp."""
    return _pick(_streams(body), local)[1]


def _streams(body: bytes) -> list[_Stream]:
    """The streams of a description. Raises BadSdp."""
    if len(body) > MAX_SDP:
        raise BadSdp(f"a description of {len(body)} octets")
    host = ""
    attributes: tuple[tuple[str, str], ...] = ()
    streams: list[_Stream] = []
    for line in body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        kind, equals, value = line[:1], line[1:2], line[2:].strip()
        if equals != "=":
            continue
        if kind == "m":
            streams.append(_stream(value, host, attributes))
            if len(streams) > _MAX_STREAMS:
                raise BadSdp("too many streams")
        elif kind == "c":
            found = _address(value)
            if streams:
                streams[-1] = streams[-1]._replace(host=found)
            else:
                host = found
        elif kind == "a":
            name, _, text = value.partition(":")
            one = ((name.strip().lower(), text.strip()),)
            if streams:
                streams[-1] = streams[-1]._replace(attributes=one + streams[-1].attributes)
            else:
                attributes = one + attributes
    return streams


def _stream(value: str, host: str, attributes: tuple[tuple[str, str], ...]) -> _Stream:
    if not (value.isascii() and value.isprintable()):
        raise BadSdp("a stream of foreign signs")
    words = value.split()
    port = words[1].partition("/")[0] if len(words) > 1 else ""
    if len(words) < 4 or len(words) > 64 or _NUMBER.fullmatch(port) is None or int(port) > 65_535:
        raise BadSdp("a stream that is none")
    return _Stream(words[0].lower(), int(port), words[2], tuple(words[3:]), host, attributes)


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None:
        raise BadSdp("no address")
    return found[1]


def _pick(streams: list[_Stream], local: LocalMedia) -> tuple[int, RemoteMedia]:
    """The first audio stream that we can speak on, and its number. Raises BadSdp."""
    profiles = ("RTP/SAVP", "RTP/SAVPF") if local.key else ("RTP/AVP", "RTP/AVPF")
    for number, stream in enumerate(streams):
        if stream.kind != "audio" or not stream.port or stream.protocol.upper() not in profiles:
            continue
        remote, keyed = _remote(stream, local.codecs), _key(stream) if local.key else (1, b"")
        if remote is not None and keyed is not None:
            return number, remote._replace(key_tag=keyed[0], key=keyed[1])
    raise BadSdp("no audio stream that we speak")


def _key(stream: _Stream) -> tuple[int, bytes] | None:
    """Number and octets of the first key of our suite, without further wishes; None without one (RFC 4568)."""
    # Attributes stand here in reverse order.
    for name, text in reversed(stream.attributes):
        found = _CRYPTO.fullmatch(text) if name == "crypto" else None
        if found is None:
            continue
        try:
            key = base64.b64decode(found[2], validate=True)
        except binascii.Error:
            continue
        if len(key) == _KEY_SIZE:
            return int(found[1]), key
    return None


def _remote(stream: _Stream, codecs: tuple[Codec, ...]) -> RemoteMedia | None:
    """What a stream comes to, None without a codec of ours. The peer's order of codecs counts (RFC 3264 6.1)."""
    if not stream.host:
        raise BadSdp("no address")
    maps = _rtpmaps(stream)
    ours = {codec.name: codec for codec in codecs}
    picked = next(((form, ours[name]) for form in stream.formats if (name := maps.get(form, "")) in ours), None)
    if picked is None:
        return None
    events = next((int(form) for form in stream.formats if maps.get(form) == "TELEPHONE-EVENT"), None)
    names = {name for name, _ in stream.attributes}
    held = stream.host in ("0.0.0.0", "::")  # noqa: S104 - the old way of putting a call on hold, RFC 3264 8.4
    hears = not held and not names & {"sendonly", "inactive"}
    speaks = not names & {"recvonly", "inactive"}
    rtcp = next((text for name, text in stream.attributes if name == "rtcp"), "")
    found = _NUMBER.match(rtcp)
    rtcp_port = int(found[0]) if found else stream.port + 1
    form, codec = picked
    return RemoteMedia(stream.host, stream.port, min(rtcp_port, 65_535), codec, int(form), events, hears, speaks)


def _rtpmaps(stream: _Stream) -> dict[str, str]:
    """Encoding names by payload type, capitals, 8000 Hz only; static types need no line (RFC 3551)."""
    maps = {str(codec.value): codec.name for codec in Codec}
    for name, text in stream.attributes:
        if name != "rtpmap":
            continue
        found = _RTPMAP.fullmatch(text)
        if found is None or int(found[1]) > 127:
            continue
        maps[found[1]] = found[2].upper() if found[3] == "8000" else ""
    return maps

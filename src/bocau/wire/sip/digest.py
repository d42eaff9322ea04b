"""Digest authentication: challenges answered with MD5 or SHA-256, with and without qop=auth (RFC 2617, 7616, 8760)."""

import hashlib
import re
from typing import Final, NamedTuple

from bocau.wire.sip.message import Header, Response, split_list, unquoted

__all__ = ["ALGORITHMS", "Asked", "Authenticator", "Challenge", "Credentials", "digest_of", "read_challenge"]

ALGORITHMS: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""What can be answered, the better first; names in capitals."""

# Where a challenge stands, and where its answer goes.
_HEADERS: Final = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_MOST_TRIES: Final = 4
_UNQUOTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


class Credentials(NamedTuple):
    """A user of a trunk."""

    user: str
    password: str
    realm: str = ""
    """Only challenges of this realm are answered; empty for whatever the trunk names."""

    def __repr__(self) -> str:
        """Without the password (promises S1)."""
        return f"Credentials({self.user})"


class Challenge(NamedTuple):
    """One challenge that can be answered."""

    realm: str
    nonce: str
    algorithm: str
    """As it came; empty for MD5 by default."""
    qop: bool
    """Whether qop=auth is offered; without it the old form of RFC 2069 is answered."""
    opaque: str
    stale: bool


def read_challenge(value: str) -> Challenge | None:
    """Read one WWW-Authenticate or Proxy-Authenticate value; None for one that cannot be answered.

    Raises BadMessage for too many parameters.
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    params: dict[str, str] = {}
    for piece in split_list(rest):
        name, _, text = piece.partition("=")
        params.setdefault(name.strip().lower(), unquoted(text.strip()))
    offered = [one.strip().lower() for one in params.get("qop", "").split(",") if one.strip()]
    algorithm = params.get("algorithm", "")
    usable = (algorithm.upper() or "MD5") in ALGORITHMS and (not offered or "auth" in offered)
    if not usable or "realm" not in params or not params.get("nonce"):
        return None
    stale = params.get("stale", "").lower() == "true"
    return Challenge(params["realm"], params["nonce"], algorithm, bool(offered), params.get("opaque", ""), stale)


class Asked(NamedTuple):
    """What a digest is made over."""

    method: str
    uri: str
    uses: int
    """How often the nonce is used with this one."""
    cnonce: str


def digest_of(credentials: Credentials, challenge: Challenge, asked: Asked) -> str:
    """The response value (RFC 7616 3.4.1; RFC 2069 without qop)."""
    algorithm = challenge.algorithm.upper() or "MD5"

    def hashed(text: str) -> str:
        return ALGORITHMS[algorithm](text.encode()).hexdigest()

    secret = hashed(f"{credentials.user}:{challenge.realm}:{credentials.password}")
    what = hashed(f"{asked.method}:{asked.uri}")
    if not challenge.qop:
        return hashed(f"{secret}:{challenge.nonce}:{what}")
    return hashed(f"{secret}:{challenge.nonce}:{asked.uses:08x}:{asked.cnonce}:auth:{what}")


class Authenticator:
    """Answers the challenges of one call or registration and counts the uses of each nonce.

    `cnonce` is unguessable text of the caller's; each answer adds a number to it.
    """

    __slots__ = ("_answered", "_cnonce", "_counts", "_credentials", "_known", "_tries")

    def __init__(self, credentials: Credentials | None, cnonce: str) -> None:
        """None: every challenge is a refusal."""
        self._credentials = credentials
        self._cnonce = cnonce
        # The newest challenge of each header and realm, and how often its nonce was used.
        self._known: dict[tuple[str, str], Challenge] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._answered: set[tuple[str, str]] = set()
        self._tries = 0

    def begin(self) -> None:
        """A new request begins, no repeat of one that was challenged."""
        self._answered.clear()
        self._tries = 0

    def take(self, response: Response) -> bool:
        """Learn from a 401 or 407. Whether the request is worth another try with `headers`.

        A challenge that was answered and comes again refuses us, unless it says that only the nonce was old. Raises
        BadMessage.
        """
        names = _HEADERS.get(response.status)
        if names is None or self._credentials is None or self._tries >= _MOST_TRIES:
            return False
        asks, answers = names
        found = [read_challenge(value) for name, value in response.headers if name == asks]
        wanted = self._credentials.realm
        usable = [one for one in found if one is not None and (not wanted or one.realm == wanted)]
        if not usable:
            return False
        rank = list(ALGORITHMS)
        best = min(usable, key=lambda one: rank.index(one.algorithm.upper() or "MD5"))
        place = (answers, best.realm)
        if place in self._answered and not best.stale:
            return False
        self._answered.add(place)
        self._tries += 1
        if place not in self._known or self._known[place].nonce != best.nonce:
            self._counts[place] = 0
        self._known[place] = best
        return True

    def headers(self, method: str, uri: str) -> list[Header]:
        """The answers to all challenges known, for a request with this method and Request-URI."""
        credentials = self._credentials
        if credentials is None:
            return []
        made = []
        for place, challenge in self._known.items():
            count = self._counts[place] = self._counts[place] + 1
            asked = Asked(method, uri, count, f"{self._cnonce}{count:x}")
            made.append((place[0], _answer(credentials, challenge, asked)))
        return made


def _answer(credentials: Credentials, challenge: Challenge, asked: Asked) -> str:
    pieces = [
        f"username={_quoted(credentials.user)}",
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(asked.uri)}",
        f'response="{digest_of(credentials, challenge, asked)}"',
    ]
    if challenge.algorithm:
        pieces.append(f"algorithm={challenge.algorithm}")
    if challenge.qop:
        pieces += [f'cnonce="{asked.cnonce}"', "qop=auth", f"nc={asked.uses:08x}"]
    if challenge.opaque:
        pieces.append(f"opaque={_quoted(challenge.opaque)}")
    return "Digest " + ", ".join(pieces)


def _quoted(text: str) -> str:
    escaped = _UNQUOTABLE.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

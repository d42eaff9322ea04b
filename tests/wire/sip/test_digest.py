"""Digest authentication against the examples of its specifications."""

from hypothesis import given
from hypothesis import strategies as st

from bocau.wire.sip.digest import Asked, Authenticator, Challenge, Credentials, digest_of, read_challenge
from bocau.wire.sip.message import BadMessage, Header, Response

MUFASA = Credentials("Mufasa", "Circle of Life")
US = Credentials("us", "secret")


def challenged(*values: str, status: int = 401) -> Response:
    """An answer with these challenges."""
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    headers: tuple[Header, ...] = tuple((name, value) for value in values)
    return Response(status, "No", headers)


def test_the_examples_of_the_specifications_come_out() -> None:
    """RFC 2617 3.5 for MD5, RFC 7616 3.9.1 for both."""
    asked = Asked("GET", "/dir/index.html", 1, "0a4f113b")
    old = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", True, "", False)
    assert digest_of(Credentials("Mufasa", "Circle Of Life"), old, asked) == "6629fae49393a05397450978507c4ef1"
    asked = Asked("GET", "/dir/index.html", 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    new = Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "MD5", True, "", False)
    assert digest_of(MUFASA, new, asked) == "8ca523f5e9506fed4657c9700eebdbec"
    sha = new._replace(algorithm="SHA-256")
    assert digest_of(MUFASA, sha, asked) == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"


def test_the_old_form_has_no_counts() -> None:
    """A trunk without qop gets RFC 2069."""
    auth = Authenticator(US, "c")
    assert auth.take(challenged('Digest realm="r", nonce="n"'))
    ((name, value),) = auth.headers("INVITE", "sip:x")
    assert name == "Authorization"
    assert "nc=" not in value
    assert "qop" not in value


def test_the_better_algorithm_is_taken() -> None:
    """Of several challenges for one realm (RFC 8760)."""
    auth = Authenticator(US, "c")
    assert auth.take(
        challenged(
            'Digest realm="r", nonce="a", algorithm=MD5',
            'Digest realm="r", nonce="b", algorithm=SHA-256, qop="auth,auth-int"',
            'Digest realm="r", nonce="d", algorithm=SHA-512-256',
        )
    )
    assert 'nonce="b"' in auth.headers("INVITE", "sip:x")[0][1]


def test_uses_of_a_nonce_are_counted() -> None:
    """And each has another cnonce; a new nonce begins at 1."""
    auth = Authenticator(US, "c")
    auth.take(challenged('Digest realm="r", nonce="a", qop="auth"'))
    first, second = (auth.headers("INVITE", "sip:x")[0][1] for _ in range(2))
    assert "nc=00000001" in first
    assert "nc=00000002" in second
    assert first.split("cnonce=")[1] != second.split("cnonce=")[1]
    auth.begin()
    auth.take(challenged('Digest realm="r", nonce="b", qop="auth"'))
    assert "nc=00000001" in auth.headers("BYE", "sip:x")[0][1]


def test_proxy_and_callee_may_both_ask() -> None:
    """Each in its own header; both are answered from then on."""
    auth = Authenticator(US, "c")
    assert auth.take(challenged('Digest realm="p", nonce="a"', status=407))
    assert auth.take(challenged('Digest realm="r", nonce="b"'))
    assert [name for name, _ in auth.headers("INVITE", "sip:x")] == ["Proxy-Authorization", "Authorization"]


def test_a_challenge_is_not_answered_for_ever() -> None:
    """The same again refuses us, stale ones end after four."""
    auth = Authenticator(US, "c")
    again = challenged('Digest realm="r", nonce="n"')
    assert auth.take(again)
    assert not auth.take(again)
    stale = challenged('Digest realm="r", nonce="n", stale=TRUE')
    assert [auth.take(stale) for _ in range(5)] == [True, True, True, False, False]


def test_what_cannot_be_answered_is_a_refusal() -> None:
    """Another scheme, realm, algorithm or quality."""
    auth = Authenticator(US._replace(realm="mine"), "c")
    for value in (
        "Basic realm=mine", 'Digest realm="theirs", nonce="n"', 'Digest realm="mine", nonce="n", algorithm=SHA3',
        'Digest realm="mine", nonce="n", qop="auth-int"', 'Digest realm="mine"', "Digest", "",
    ):  # fmt: skip
        assert not auth.take(challenged(value))
    assert auth.headers("INVITE", "sip:x") == []
    assert not auth.take(challenged('Digest realm="mine", nonce="n"')._replace(status=403))


def test_quotes_cannot_break_out() -> None:
    """A realm with quotes and line ends stays one value."""
    auth = Authenticator(US._replace(user='a"b'), "c")
    auth.take(challenged('Digest realm="r\\"\\\\x", nonce="n"'))
    value = auth.headers("INVITE", "sip:x")[0][1]
    assert 'username="a\\"b"' in value
    assert 'realm="r\\"\\\\x"' in value
    assert "secret" not in repr(US)


@given(
    st.one_of(st.text(max_size=80), st.text('Digest realm="nonce,=auth \\', max_size=120).map(lambda t: f"Digest {t}"))
)
def test_garbage_raises_only_the_one_exception(text: str) -> None:
    """Whatever a peer writes into a challenge."""
    try:
        read_challenge(text)
        Authenticator(US, "c").take(challenged(text))
    except BadMessage:
        return

"""Passwords of the console."""

from bocau.console.passwords import SALT_SIZE, hash_password, is_password

SALT = bytes(range(SALT_SIZE))


def test_a_password_is_itself_and_nothing_else() -> None:
    """Letters of any script, and signs that no text should have."""
    kept = hash_password("correct horse ngựa", SALT)
    assert is_password("correct horse ngựa", kept)
    assert not is_password("correct horse ngua", kept)
    assert not is_password("\ud800", kept)


def test_what_is_kept_tells_neither_the_password_nor_that_two_are_equal() -> None:
    """Each has a salt of its own."""
    first, second = hash_password("secret word", SALT), hash_password("secret word", SALT[::-1])
    assert first != second
    assert "secret" not in first


def test_the_cost_of_a_hash_is_its_own() -> None:
    """What was made with another cost can still be checked; what is no hash of ours is nobody's."""
    cheap = "scrypt$4$8$1$00$" + __import__("hashlib").scrypt(b"x", salt=b"\0", n=16, r=8, p=1, dklen=32).hex()
    assert is_password("x", cheap)
    assert not is_password("y", cheap)
    assert not is_password("x", "md5$00$00")

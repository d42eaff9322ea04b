"""The ids of one carrier account: submissions that memory knows by theirs, and how receipts write them."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from bocau.core.outcome import IdForm, IdLearning, form_between, id_forms, match_key, match_keys

__all__ = ["IdBook"]

T = TypeVar("T")

_REMEMBERED: Final = 10_000
"""About a kilobyte each."""
_SAME: Final = IdForm.SAME


class IdBook(Generic[T]):
    """Recent submissions by the id that the carrier gave, and what is known of the ids in its receipts.

    Memory may spare the store a look, never a check: the store tests every hint that comes from here.
    """

    __slots__ = ("_form", "_learned", "_recent", "_size", "fixed", "learning", "settled")

    def __init__(
        self,
        fixed: IdForm | None,
        learned: IdForm | None,
        on_learned: Callable[[IdForm], None],
        size: int = _REMEMBERED,
    ) -> None:
        """`fixed` is the profile's word and ends all learning; `learned` is what an earlier start found out."""
        self.fixed = fixed
        self.learning = IdLearning(learned)
        self.settled = fixed is not None
        """Matches teach nothing more."""
        self._form = fixed or learned
        self._size = size
        self._learned = on_learned
        self._recent: OrderedDict[str, T] = OrderedDict()

    @property
    def form(self) -> IdForm | None:
        """How receipts write ids; None while it is not known."""
        return self._form

    def remember(self, key: str, sent: T) -> None:
        """A submission was given an id, of which `key` is the match key."""
        recent = self._recent
        recent[key] = sent
        if len(recent) > self._size:
            recent.popitem(last=False)

    def recall(self, carrier_id: str) -> tuple[str, T | None]:
        """The key that a receipt's id most likely means, and the submission that memory has for it; it is forgotten."""
        key = match_key(carrier_id)
        if self._form is not None and self._form is not _SAME:
            key = id_forms(key).get(self._form, key)
        return key, self._recent.pop(key, None)

    def keys(self, carrier_id: str) -> tuple[str, ...]:
        """The forms of a receipt's id to look for, the likeliest first; with a fixed form, that alone."""
        return match_keys(carrier_id, self._form, self.fixed is not None)

    def teaches(self, recalled: bool) -> bool:
        """Whether a match may teach something: not under a fixed form, and not if memory had it by the form learned."""
        return not self.settled and (self._form is None or not recalled or self.learning.rival is not None)

    def saw(self, carrier_id: str, key: str) -> None:
        """The store matched a receipt's id by this key: learn from it (promises 4.3)."""
        form = form_between(match_key(carrier_id), key)
        if form is None or self.settled:
            return
        before = self.learning.form
        self.learning = self.learning.saw(form)
        if self.learning.form is not before and self.learning.form is not None:
            self._form = self.learning.form
            self._learned(self.learning.form)

"""Who tells the simulated carrier what no carrier knows: whose a message is, its network, its template.

Faults are narrowed by these. A message is known by its receiver and its text; the witness at the door remembers both.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bocau.console.witness import Seen, Witness
from bocau.core.directory import Directory
from bocau.core.numbering import Numbering
from bocau.core.phone import normalise
from bocau.core.telcos import TELCOS
from bocau.core.template import Template

__all__ = ["Informant"]

_NETWORKS: Final = tuple(telco.receiver_name for telco in TELCOS.values())
_MOST_TEMPLATES: Final = 1_000


class Informant:
    """Answers what faults ask."""

    networks: Sequence[str] = _NETWORKS

    def __init__(
        self,
        numbering: Callable[[], Numbering],
        directory: Callable[[], Directory] | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Without a directory no template is known by its number, without a witness every message is nobody's."""
        self._numbering = numbering
        self._directory = directory
        self._witness = witness
        self._templates: dict[str, Template] = {}

    def network_of(self, phone: str) -> str:
        """The name of a number's network; empty for none."""
        telco = TELCOS.get(self._numbering().telco_of(normalise(phone) or ""))
        return telco.receiver_name if telco else ""

    def fits(self, template: str, text: str) -> bool:
        """Whether a text follows a template, given as its text or by its number. Raises ValueError for none."""
        known = self._templates.get(template)
        if known is None:
            known = self._registered(int(template)) if template.isdecimal() else Template.parse(template)
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            self._templates[template] = known
        return known.match(text)

    def _registered(self, number: int) -> Template:
        accounts = () if self._directory is None else self._directory().accounts.values()
        for account in accounts:
            for brandname in account.brandnames.values():
                for rows in brandname.templates.values():
                    found = next((row.template for row in rows if row.id == number), None)
                    if found is not None:
                        return found
        raise ValueError(f"there is no template with the number {number}")

    def whose(self, phone: str, text: str) -> tuple[str, str, str]:
        """ApiKey, brandname and whole text of the newest message to a phone that has this text or a part of it."""
        return _told(None if self._witness is None else self._witness.sender_of(phone, text))

    def whose_request(self, smsid: str) -> tuple[str, str, str]:
        """The same of a request."""
        return _told(None if self._witness is None else self._witness.request(smsid))


def _told(seen: Seen | None) -> tuple[str, str, str]:
    return ("", "", "") if seen is None else (seen.api_key, seen.brandname, seen.content)

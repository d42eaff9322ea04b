"""The settings tell about themselves: the reference page and the rules of their fields."""

from pathlib import Path

import pytest
from msgspec import inspect

from bocau.settings import reference
from bocau.settings.fields import Field, fields_of, sections

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("_seconds", "_ms", "_bytes", "_percent", "_per_second", "_bits", "_minutes", "_hours", "_days", "_mib")
COUNTS = frozenset(
    (
        *("port", "node", "connections", "connections_per_host", "in_flight", "ready_messages", "repeats"),
        *("max_parts_gsm", "max_parts_ucs2", "max_receivers", "binds", "window", "tries"),
        *("learned_numbers", "tracked_numbers", "number_per_10_minutes", "number_per_day", "range_per_10_minutes"),
        *("account_vnd_per_day", "key_vnd_per_day"),
        *("call_number_per_10_minutes", "call_number_per_day", "calls_per_minute", "calls_at_once"),
        *("part_cost", "breaker_failures", "breaker_probes", "put_off_tries"),
        *("source_ton", "source_npi", "destination_ton", "destination_npi", "address_ton", "address_npi"),
        *("gsm_data_coding", "protocol_id", "priority", "registered_delivery", "receiver_port", "trace_pdus"),
        *("sms_type", "telco"),
        *("local_port", "max_calls", "workers", "calls_per_worker", "first_port", "last_port"),
    )
)
FIELDS = [(section, field) for section, cls in sections().items() for field in fields_of(cls).values()]


def test_the_reference_page_is_what_the_types_say() -> None:
    """A stale page fails the build; write bocau.settings.reference() to it."""
    assert (ROOT / "docs/reference/settings.md").read_text("utf-8") == reference()


@pytest.mark.parametrize(("section", "field"), FIELDS, ids=lambda v: v.name if isinstance(v, Field) else v)
def test_every_setting_has_a_line_a_default_and_bounds(section: str, field: Field) -> None:
    """One sentence of documentation; numbers have bounds and a unit in their name; the default fits."""
    assert field.description.endswith(".")
    assert "|" not in field.description
    if isinstance(field.type, inspect.IntType | inspect.FloatType):
        assert field.type.ge is not None
        assert field.type.le is not None
        assert field.name.endswith(UNITS) or field.name in COUNTS
    if field.required:
        assert section in ("carrier", "route", "trunk")
    elif not field.secret:
        assert (
            field.convert(list(field.default) if isinstance(field.default, tuple) else field.default) == field.default
        )


def test_no_setting_can_be_hidden_by_a_secret_file_key() -> None:
    """A key that ends in _file always means the file of a secret."""
    assert not [field.name for _, field in FIELDS if field.name.endswith("_file")]

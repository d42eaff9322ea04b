"""The OpenAPI document and the Postman collection: whole, valid, and true."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tools.render_postman import collection

from bocau.console.openapi import document, render
from bocau.wire.esms.catalogue import CATALOGUE
from bocau.wire.esms.operations import TABLE, Kind, find

API = document("1.2.3")
OPERATIONS = [(path, method, found) for path, methods in API["paths"].items() for method, found in methods.items()]


def test_the_document_is_valid() -> None:
    """By the specification's own schema; with the version of the program."""
    OpenAPIV31SpecValidator(API).validate()
    assert API["info"]["version"] == "1.2.3"
    assert json.loads(render("1.2.3")) == API


def test_every_path_of_the_table_is_in_it_and_nothing_else() -> None:
    """With the methods that the door takes."""
    for row in TABLE:
        for folder in row.folders:
            assert set(API["paths"][f"/MainService.svc/{folder}/{row.name}"]) == {m.lower() for m in row.methods}
    for path, method, _ in OPERATIONS:
        found = find(path)
        assert found is not None
        assert method.upper() in found.methods


def test_every_kind_has_an_entry_and_every_parameter_a_meaning() -> None:
    """The reference page and this document are made of them."""
    assert set(CATALOGUE) == set(Kind)
    for entry in CATALOGUE.values():
        assert entry.bodies
        assert not entry.note or entry.note.endswith(".")
        for parameter in entry.parameters:
            assert parameter.meaning.endswith((".", "number.")), parameter.name
            assert not parameter.required or parameter.example, parameter.name
        names = [parameter.name.lower() for parameter in entry.parameters]
        assert len(set(names)) == len(names)


def test_operation_ids_are_unique_and_fit_for_generated_code() -> None:
    """Generators make function names of them."""
    ids = [found["operationId"] for _, _, found in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert all(name.isidentifier() for name in ids)


@pytest.mark.parametrize("folder", ["json", "xml"])
def test_answers_are_shown_in_the_form_of_their_folder(folder: str) -> None:
    """XML where XML comes back, and JSON everywhere, since everybody may ask for it."""
    for path, _, found in OPERATIONS:
        if f"/{folder}/" in path:
            content = found["responses"]["200"]["content"]
            assert ("application/xml" in content) == (folder == "xml")
            assert content["application/json"]["examples"]


def requests(folder: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests of a folder of the collection."""
    return [item["request"] for item in folder["item"]]


def test_the_collection_has_every_path_and_no_key() -> None:
    """Keys are variables, so that nobody shares his own by accident."""
    made = collection()
    found = [request for folder in made["item"] for request in requests(folder)]
    assert len(found) == len(API["paths"])
    text = json.dumps(made["item"])
    assert "K-4f1d" not in text
    assert "S-9a2c" not in text
    assert all(request["url"]["raw"].startswith("{{base}}/MainService.svc/") for request in found)
    file = Path(__file__).resolve().parents[2] / "docs/reference/bocau.postman_collection.json"
    assert json.loads(file.read_text("utf-8")) == made

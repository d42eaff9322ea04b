"""The OpenAPI 3.1 document of the eSMS API as bocau serves it, made of the tables of wire/esms.

Requests and answers are described by what the catalogue has: parameters with examples, and one body for each case. What
no table says (any case of a name, any form at any operation) is told in the description.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bocau.console.kit_openapi import KIT_TAG, kit_paths
from bocau.wire.esms.answers import infrastructure_error
from bocau.wire.esms.catalogue import CATALOGUE, Entry, Parameter
from bocau.wire.esms.markup import as_xml
from bocau.wire.esms.operations import TABLE, Kind, Operation
from bocau.wire.esms.reports import XML_SHAPES

__all__ = ["document", "render"]

_SERVICE: Final = "/MainService.svc"
_KEYS: Final = ("ApiKey", "SecretKey")
_DESCRIPTION: Final = (
    "Every result of the API has HTTP status 200; its code is CodeResult or CodeResponse. Names count in any case, "
    "values may be text, numbers, booleans or null, and every operation takes JSON, XML, a form or a query, whatever "
    "the Content-Type says. Paths count in any case, with or without a slash at the end."
)
_VALUE: Final = {"type": ["string", "number", "boolean", "null"]}
_FAULTS: Final = {
    "400": "The request cannot be decoded.",
    "413": "The body is too large.",
    "503": "Nothing could be stored.",
}
_TYPES: Final[Mapping[type, str]] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def render(version: str, *, kit: bool = False) -> bytes:
    """The document as it is served at /openapi.json; of a development start with its test API."""
    whole = document(version)
    if kit:
        whole["paths"] |= kit_paths()
        whole["tags"].append({"name": KIT_TAG, "description": "Development only, on the admin listener."})
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def document(version: str) -> dict[str, Any]:
    """The document as a value, of a version of bocau."""
    paths: dict[str, Any] = {}
    for row in TABLE:
        for folder in row.folders:
            for path, keys in _paths(row, folder):
                paths[path] = {
                    method.lower(): _operation(row, method, folder, path_keys=keys) for method in row.methods
                }
    return {
        "openapi": "3.1.0",
        "info": {"title": "bocau: the eSMS API", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "http://127.0.0.1:8484"}],
        "tags": [{"name": name} for name in dict.fromkeys(entry.group for entry in CATALOGUE.values())],
        "paths": paths,
        "components": {"schemas": {"Fault": _schema(json.loads(infrastructure_error()))}},
    }


def _paths(row: Operation, folder: str) -> list[tuple[str, bool]]:
    """Where an operation stands under a folder; True with the keys in the path."""
    path = f"{_SERVICE}/{folder}/{row.name}"
    return [(path, False), *([(f"{path}/{{ApiKey}}/{{SecretKey}}", True)] if row.takes else [])]


def _operation(row: Operation, method: str, folder: str, *, path_keys: bool) -> dict[str, Any]:
    """One method of one path."""
    entry = CATALOGUE[row.kind]
    parts = (method.lower(), folder, row.name.replace("/", "_"), *(["keys_in_path"] if path_keys else []))
    found: dict[str, Any] = {
        "operationId": "_".join(parts),
        "summary": entry.title[0].upper() + entry.title[1:],
        "tags": [entry.group],
        "responses": _responses(row.kind, entry, folder),
    }
    if entry.note:
        found["description"] = entry.note
    placed = [_parameter(p, "path") for p in entry.parameters if path_keys and p.name in _KEYS]
    left = [p for p in entry.parameters if not (path_keys and p.name in _KEYS)]
    if method == "GET":
        placed += [_parameter(p, "query") for p in left]
    elif left:
        found["requestBody"] = _body(left)
    if placed:
        found["parameters"] = placed
    return found


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": parameter.name,
        "in": place,
        "description": parameter.meaning,
        "required": parameter.required,
        "schema": {"type": "string"},
    }
    return {**found, "example": parameter.example} if parameter.example else found


def _body(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The same members as JSON and as a form."""
    schema = {
        "type": "object",
        "properties": {p.name: {**_VALUE, "description": p.meaning} for p in parameters},
        "required": [p.name for p in parameters if p.required],
    }
    example = {p.name: p.example for p in parameters if p.example}
    media = {"schema": schema, "example": example}
    return {"required": True, "content": {"application/json": media, "application/x-www-form-urlencoded": media}}


def _responses(kind: Kind, entry: Entry, folder: str) -> dict[str, Any]:
    """What may come back: the results as 200, and what is no result."""
    values = [(case, json.loads(body)) for case, body in entry.bodies]
    content: dict[str, Any] = {
        "application/json": {
            "schema": _one_of([_schema(value) for _, value in values]),
            "examples": {case: {"value": value} for case, value in values},
        }
    }
    if folder == "xml":
        documents = {case: {"value": as_xml(body, *XML_SHAPES[kind]).decode()} for case, body in entry.bodies}
        content["application/xml"] = {"schema": {"type": "string"}, "examples": documents}
    fault = {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}
    faults = {status: {"description": text, "content": fault} for status, text in _FAULTS.items()}
    return {"200": {"description": "The result, whatever it is.", "content": content}, **faults}


def _one_of(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Any of the shapes; a refusal that has no shape of its own here has the members of one that has."""
    different = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _schema(value: object) -> dict[str, Any]:
    """The shape of an example: every member of it is there in every answer of that shape."""
    if isinstance(value, dict):
        members = {name: _schema(member) for name, member in value.items()}
        return {"type": "object", "properties": members, "required": sorted(members)}
    if isinstance(value, list):
        return {"type": "array", "items": _schema(value[0]) if value else {}}
    kind = _TYPES[type(value)]
    return {"type": "number"} if kind in ("integer", "number") else {"type": kind}

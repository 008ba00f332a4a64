"""The API as an OpenAPI 3.1 document, made of the descriptors and the comments of the protos."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from service.errors import DOMAIN, Code, Reason
from service.handlers import Method
from service.web.descriptions import descriptions

Schema = dict[str, Any]

_INTRODUCTION = (
    "Which papers to show beside a paper, and why. Each call is a POST of JSON; those without side "
    "effects are also a GET that caches keep. The same paths answer Connect and gRPC-Web. Names "
    "are written in lowerCamelCase; requests may also use the names of the protos, by which the "
    "descriptions call them. A field that has its default (0, false, an empty text or list) is "
    "left out of answers. Unknown fields are refused."
)
_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.CPPTYPE_INT64: {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"},
    FieldDescriptor.CPPTYPE_UINT64: {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"},
}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?s$"},
}
_KEYS: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"apiKey": []}]
"""No key, or one: what needs it depends on where the service listens."""


def document(methods: Iterable[Method]) -> Schema:
    """The document. Streams are left out: they need gRPC."""
    schemas: dict[str, Schema] = {"Error": _error()}
    paths = {}
    services = []
    for method in methods:
        if method.service not in services:
            services.append(method.service)
        if not method.streaming:
            paths[f"/{method.service}/{method.name}"] = _path(method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Related Papers",
            "version": version("related-papers"),
            "summary": "Which papers are related to a paper, and why.",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": _KEYS,
        "tags": [
            {"name": _short(name), "description": descriptions().get(name, "")} for name in services
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _path(method: Method, schemas: dict[str, Schema]) -> Schema:
    request = _reference(method.request.DESCRIPTOR, schemas)
    answer = _json(_reference(method.response.DESCRIPTOR, schemas))
    comment = descriptions().get(f"{method.service}.{method.name}", "")
    common = {
        "tags": [_short(method.service)],
        "summary": comment.partition(". ")[0].rstrip(".") + ".",
        "description": comment,
    }
    failed = {"description": "It failed; `code` says how.", "content": _json(_named("Error"))}
    answered = {"description": "The answer.", "content": answer}
    post = {
        **common,
        "operationId": f"{_short(method.service)}_{method.name}",
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {"200": answered, "default": failed},
    }
    if not method.safe:
        return {"post": post}
    unchanged = {"description": "The answer that `If-None-Match` names is still the answer."}
    get = {
        **common,
        "operationId": f"{_short(method.service)}_{method.name}_get",
        "parameters": [
            {
                "name": "encoding",
                "in": "query",
                "required": True,
                "description": "The form of the request and of the answer.",
                "schema": {"const": "json"},
            },
            {
                "name": "message",
                "in": "query",
                "required": True,
                "description": "The request.",
                "content": _json(request),
            },
        ],
        "responses": {"200": answered, "304": unchanged, "default": failed},
    }
    return {"get": get, "post": post}


def _reference(message: Any, schemas: dict[str, Schema]) -> Schema:
    """A reference to the schema of a message, which it adds with all that it needs."""
    if well_known := _WELL_KNOWN.get(message.full_name):
        return dict(well_known)
    if message.name not in schemas:
        schemas[message.name] = schema = _describe({"type": "object"}, message.full_name)
        schema["properties"] = {
            field.json_name: _property(field, schemas) for field in message.fields
        }
        schema["additionalProperties"] = False
    return _named(message.name)


def _property(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    entry = field.message_type
    schema: Schema
    if entry is not None and entry.GetOptions().map_entry:
        value = entry.fields_by_name["value"]
        schema = {"type": "object", "additionalProperties": _value(value, schemas)}
    elif field.is_repeated:
        schema = {"type": "array", "items": _value(field, schemas)}
    else:
        schema = _value(field, schemas)
    return _describe(schema, field.full_name)


def _value(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    if field.message_type is not None:
        return _reference(field.message_type, schemas)
    if field.enum_type is not None:
        return _enum(field.enum_type, schemas)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    return dict(_SCALARS[field.cpp_type])


def _enum(enum: EnumDescriptor, schemas: dict[str, Schema]) -> Schema:
    if enum.name not in schemas:
        # The full name of a value is that of its enum's package; its comment stands with its enum.
        values = [
            f"- `{value.name}`: {descriptions().get(f'{enum.full_name}.{value.name}', '')}"
            for value in enum.values
        ]
        about = descriptions().get(enum.full_name, "")
        schemas[enum.name] = {
            "type": "string",
            "description": "\n".join([about, "", *values]),
            "enum": [value.name for value in enum.values],
        }
    return _named(enum.name)


def _error() -> Schema:
    text = {"type": "string"}
    info = {
        "type": "object",
        "description": "google.rpc.ErrorInfo, for people; programs read it out of `value`.",
        "properties": {
            "reason": {"enum": [reason.value for reason in Reason]},
            "domain": {"const": DOMAIN},
            "metadata": {"type": "object", "additionalProperties": text},
        },
    }
    detail = {
        "type": "object",
        "properties": {
            "type": {"const": "google.rpc.ErrorInfo"},
            "value": {"type": "string", "contentEncoding": "base64"},
            "debug": info,
        },
    }
    return {
        "type": "object",
        "description": "Why a call failed. `message` is for people, its wording may change.",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"enum": [code.name.lower() for code in Code if code is not Code.OK]},
            "message": text,
            "details": {"type": "array", "items": detail},
        },
    }


def _describe(schema: Schema, name: str) -> Schema:
    about = descriptions().get(name)
    return {**schema, "description": about} if about else schema


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _short(service: str) -> str:
    return service.rpartition(".")[2]

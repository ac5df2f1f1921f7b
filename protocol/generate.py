#!/usr/bin/env python3
"""Makes C structs and tables of the message definitions: generate.py OUT_H OUT_C DEFINITION...

A definition is JSON: `name`, `key`, `versions`, the first `flexible` version, and the
fields of `request` and `response`; or of a `record`, which is stored and not sent, and has
its type as `key` if it is one of the metadata log's. A field has a `name`; a `type` ("int32", "[int32]",
"topic" or "[topic]", the last two with `fields` of their own); `versions` in which it is
there (all unless said); `nullable` versions; a `default` (0, "", empty; null where the
field can be null); and a `tag`. A struct that can be null is in C an array of none or one. Ranges are "3", "3-5", "3+" or "none".
"""
import json
import re
import sys

SCALARS = {  # type: (C type, MESSAGE_ constant, bytes on the wire or None)
    "bool": ("bool", "BOOL", 1),
    "int8": ("int8_t", "INT8", 1),
    "int16": ("int16_t", "INT16", 2),
    "uint16": ("uint16_t", "UINT16", 2),
    "int32": ("int32_t", "INT32", 4),
    "int64": ("int64_t", "INT64", 8),
    "float64": ("double", "FLOAT64", 8),
    "uuid": ("message_uuid", "UUID", 16),
    "string": ("message_text", "STRING", None),
    "bytes": ("sluice_bytes", "BYTES", None),
    "records": ("message_records", "RECORDS", None),
}
VERSION_MAX = 127
FIELD_KEYS = {"name", "type", "versions", "nullable", "default", "tag", "fields"}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def parse_range(text):
    if text is None or text == "none":
        return (1, 0)
    if text.endswith("+"):
        return (int(text[:-1]), VERSION_MAX)
    low, _, high = text.partition("-")
    return (int(low), int(high or low))


class Field:
    def __init__(self, definition, prefix):
        unknown = set(definition) - FIELD_KEYS
        if unknown:
            raise ValueError(f"{prefix}: field {definition['name']} has {sorted(unknown)}")
        self.name = definition["name"]
        self.array = definition["type"].startswith("[")
        self.type = definition["type"].strip("[]")
        self.versions = parse_range(definition.get("versions", "0+"))
        self.nullable = parse_range(definition.get("nullable"))
        self.tag = definition.get("tag", -1)
        self.default = definition.get("default")
        self.item = None
        if "fields" in definition:
            self.item = Struct(f"{prefix}_{self.type}", definition["fields"], prefix)
        elif self.type not in SCALARS:
            raise ValueError(f"{prefix}: field {self.name} has the type {self.type}")
        self.optional = bool(self.item and not self.array and self.nullable[1] >= self.nullable[0])
        self.array = self.array or self.optional

    def in_version(self, version):
        return self.versions[0] <= version <= self.versions[1]

    def c_type(self):
        return self.item.name if self.item else SCALARS[self.type][0]

    def initial(self):
        """The C initialiser of the default; None where that is all zero."""
        if self.array:
            return None
        if self.item:
            return self.item.initial()
        if self.type == "string":
            return None if self.nullable[1] >= self.nullable[0] else '{"", 0}'
        if self.default is True:
            return "true"
        if self.default is None or self.default == 0:
            return None
        return {-(2**31): "INT32_MIN", 2**63 - 1: "INT64_MAX"}.get(
            self.default, str(self.default))

    def minimum(self, version, flexible):
        if self.optional and version >= self.nullable[0]:
            return 1
        if self.array:
            return 1 if flexible else 4
        if self.item:
            return self.item.minimum(version, flexible)
        fixed = SCALARS[self.type][2]
        if fixed is not None:
            return fixed
        return 1 if flexible else 2 if self.type == "string" else 4


class Struct:
    def __init__(self, name, fields, prefix):
        self.name = name
        self.fields = [Field(field, prefix) for field in fields]
        tags = [field.tag for field in self.fields if field.tag >= 0]
        if len(tags) != len(set(tags)):
            raise ValueError(f"{name}: a tag is there twice: {tags}")

    def inner(self):
        """The structs below this one, the deepest first."""
        for field in self.fields:
            if field.item:
                yield from field.item.inner()
                yield field.item

    def initial(self):
        parts = [f".{field.name} = {field.initial()}"
                 for field in self.fields if field.initial() is not None]
        return "{" + ", ".join(parts) + "}" if parts else None

    def minimum(self, version, flexible):
        total = sum(field.minimum(version, flexible) for field in self.fields
                    if field.tag < 0 and field.in_version(version))
        return total + flexible


class Message:
    def __init__(self, api, kind):
        record = kind == "record"
        self.name = snake(api["name"]) + ("" if record else f"_{kind}")
        self.title = api["name"] + ("" if record else f" {kind}")
        self.versions = parse_range(api["versions"])
        flexible = parse_range(api["flexible"])
        self.flexible_min = flexible[0] if flexible[1] >= flexible[0] else None
        self.body = Struct(self.name, api[kind], self.name)
        self.structs = [*self.body.inner(), self.body]

    def flexible(self, version):
        return self.flexible_min is not None and version >= self.flexible_min


def write_struct(out, struct):
    out.append(f"typedef struct {struct.name} {{")
    for field in struct.fields:
        if field.array:
            out.append(f"    struct {{\n        {field.c_type()} *items;\n"
                       f"        size_t count;\n    }} {field.name};")
        else:
            out.append(f"    {field.c_type()} {field.name};")
    if not struct.fields:
        out.append("    char nothing;")
    out.append(f"}} {struct.name};\nextern const {struct.name} {struct.name}_defaults;\n")


def write_functions(out, message):
    name = message.name
    out.append(f"""extern const message_schema {name}_schema;

/* All fields at their defaults. */
static inline void {name}_init({name} *self)
{{
    *self = {name}_defaults;
}}

static inline sluice_status {name}_decode(const uint8_t *base, size_t size, int version,
                                          sluice_arena *arena, {name} *ret_message,
                                          sluice_error *err)
{{
    return message_decode(&{name}_schema, version, base, size, arena, ret_message, err);
}}

static inline sluice_status {name}_encode(const {name} *message, int version, output *out,
                                          sluice_error *err)
{{
    return message_encode(&{name}_schema, version, message, out, err);
}}
""")


def write_header(apis, records):
    out = ["""/* The messages of the Kafka protocol as C structs: made by protocol/generate.py. */
#ifndef SLUICE_PROTOCOL_MESSAGES_H
#define SLUICE_PROTOCOL_MESSAGES_H

#include "protocol/decode.h"
#include "protocol/encode.h"
"""]
    out.append("typedef enum api_key {")
    for api, _, _ in apis:
        out.append(f"    API_{snake(api['name']).upper()} = {api['key']},")
    out.append("} api_key;\n")
    for api, request, response in apis:
        out.append(f"/* ---- {api['name']}, key {api['key']}, versions {api['versions']}, "
                   f"flexible {api['flexible']} ---- */\n")
        for message in (request, response):
            for struct in message.structs:
                write_struct(out, struct)
            write_functions(out, message)
    out.append("typedef enum record_type {")
    for record in (record for record, _ in records if "key" in record):
        out.append(f"    RECORD_{snake(record['name']).upper()} = {record['key']},")
    out.append("} record_type;\n")
    for _, message in records:
        for struct in message.structs:
            write_struct(out, struct)
        write_functions(out, message)
    out.append("#endif")
    return "\n".join(out) + "\n"


def field_row(struct, field):
    kind = "STRUCT" if field.item else SCALARS[field.type][1]
    item = f"&{field.item.name}_struct" if field.item else "NULL"
    return (f'    {{"{field.name}", {item}, offsetof({struct.name}, {field.name}), '
            f"MESSAGE_{kind}, {str(field.array).lower()}, "
            f"{str(field.optional).lower()}, {field.tag}, "
            f"{field.versions[0]}, {field.versions[1]}, "
            f"{field.nullable[0]}, {field.nullable[1]}}},")


def write_table(out, message, struct):
    name = struct.name
    out.append(f"const {name} {name}_defaults = {struct.initial() or '{0}'};")
    least = [str(struct.minimum(version, message.flexible(version)))
             for version in range(message.versions[1] + 1)]
    out.append(f"static const uint16_t {name}_minimum[] = {{{', '.join(least)}}};")
    rows = "\n".join(field_row(struct, field) for field in struct.fields)
    fields = f"{name}_fields" if rows else "NULL"
    if rows:
        out.append(f"static const message_field {name}_fields[] = {{\n{rows}\n}};")
    out.append(f'static const message_struct {name}_struct = {{"{name}", {fields}, '
               f"{len(struct.fields)}, sizeof({name}), &{name}_defaults, "
               f"{name}_minimum}};\n")


def write_message(out, message):
    for struct in message.structs:
        write_table(out, message, struct)
    flexible = "INT16_MAX" if message.flexible_min is None else message.flexible_min
    out.append(f'const message_schema {message.name}_schema = {{"{message.title}", '
               f"&{message.name}_struct, {message.versions[0]}, "
               f"{message.versions[1]}, {flexible}}};\n")


def write_source(apis, records):
    out = ["""/* The tables of the messages: made by protocol/generate.py. */
#include "messages.h"
"""]
    for api, request, response in apis:
        for message in (request, response):
            write_message(out, message)
        name = snake(api["name"])
        out.append(f"static const message_api {name}_api = {{{api['key']}, "
                   f'"{api["name"]}", &{name}_request_schema, &{name}_response_schema}};\n')
    for _, message in records:
        write_message(out, message)
    out.append("const message_api *const message_apis[] = {")
    out += [f"    &{snake(api['name'])}_api," for api, _, _ in apis]
    out.append("};\nconst size_t message_api_count = sizeof message_apis / "
               "sizeof *message_apis;")
    return "\n".join(out) + "\n"


def main():
    header_path, source_path, *definitions = sys.argv[1:]
    apis = []
    for path in definitions:
        with open(path, encoding="utf-8") as file:
            apis.append(json.load(file))
    apis.sort(key=lambda api: (api.get("key", -1), api["name"]))
    records = [(api, Message(api, "record")) for api in apis if "record" in api]
    messages = [(api, Message(api, "request"), Message(api, "response"))
                for api in apis if "record" not in api]
    with open(header_path, "w", encoding="utf-8") as file:
        file.write(write_header(messages, records))
    with open(source_path, "w", encoding="utf-8") as file:
        file.write(write_source(messages, records))


main()

"""Our converters and Kafka Connect's own, given the same thousands of seeded random texts: what
each reads and writes again in every setting is the same to the byte, messages too.
Skipped unless KAFKA names the folder of Apache Kafka's jars, and there is java.

usage: KAFKA=DIR [SEED=NUMBER] [TEXTS=NUMBER] converters_peer_test.py CONVERT PLUGIN…
"""
import base64
import json
import math
import os
import random
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

from tap import Skip, main, test
from tool_peers import why_not

LIBS = os.environ.get("KAFKA")
SEED = int(os.environ.get("SEED", "1"))
TEXTS = int(os.environ.get("TEXTS", "3000"))
DATA = "org.apache.kafka.connect.data."
WHOLE = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}
JSON, STRINGS, BYTES, NUMBERS, HEADERS = range(8), range(8, 16), 16, range(17, 23), 23  # The converters.
WORDS = ["", "a", "grün", "\U0001f600", 'q"\\/', "\n\t\u0001\u001f", "null", "1", " x ", "€日本", "\u2028\x7f\x80"]
ODD = [b"1x", b"1 x", b"1,", b"[1]x", b'"a"x', b"true,", b"nullx", b"null x", b"-", b"-0", b"00", b"01", b"1.", b".5", b"+1",
       b"1e", b"1e5", b"1E+2", b"-0.0", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"[1e400,1e-400,4.9e-324]", b"tru", b"'a'",
       b"{a:1}", b"{'a':1}", b"[1,]", b"[,1]", b'{"a":1,}', b"/*x*/1", b"#\n1", b"\xef\xbb\xbf1", b"\xef\xbb\xbf[1]", b"\xfe\xff\x001",
       b"1\x00", b"\x00", b"[1\x00]", b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\\ud800"', b'"\\udc00x"',
       b'"\\ud83d\\ude00"', b'"\\ud83d\\u0041"', b'"\\u00"', b'"\\x"', b'"\n"', b'"\x7f"', b'"\\u0000"', b'"a', b'{"a":1', b"[", b"{", b"",
       b" ", b"\n\r\t ", b"\x0c1", b'{"a":1,"a":2}', b'{"":{}}', b"18446744073709551616", b"-9223372036854775809",
       b"123456789012345678901234567890.5", b"1.0000000000000000000000000001", b"1e-7", b"0.1e1", b"100e-2", b"0e0", b"-0e5"]


# The names of Connect's logical types on other types than theirs.
MISNAMED = re.compile(rb'"type":"(?!bytes")\w+",("[a-z]+":[^{}]*,)?"name":"org.apache.kafka.connect.data.Decimal"|'
                      rb'"type":"(?!int32")\w+",("[a-z]+":[^{}]*,)?"name":"org.apache.kafka.connect.data.(Date|Time)"|'
                      rb'"type":"(?!int64")\w+",("[a-z]+":[^{}]*,)?"name":"org.apache.kafka.connect.data.Timestamp"')


def nested(depth, inside="1"):
    return ("[" * depth + inside + "]" * depth).encode()


def nested_schema(depth):
    schema = '{"type":"array","items":' * depth + '{"type":"int32"}' + "}" * depth
    return f'{{"schema":{schema},"payload":[]}}'.encode()


# What is given to each JSON converter, whatever the seed: the edges of Jackson's limits.
EDGES = ODD + [
    nested(999), nested(1000), nested(1001), b'{"a":' * 1000 + b"1" + b"}" * 1000, b'{"a":' * 1001 + b"1" + b"}" * 1001,
    b"1" * 1000, b"1" * 1001, b"-" + b"1" * 1000, b"0." + b"1" * 999, b"0." + b"1" * 1000, b"1e" + b"0" * 998, b"1e99999", b"1" * 100000,
    b'{"' + b"n" * 50000 + b'":1}', b'{"' + b"n" * 50001 + b'":1}', b'"' + b"s" * 100000 + b'"', nested_schema(100), nested_schema(498),
    nested_schema(499), nested_schema(998), nested_schema(999)]


def envelope(schema, payload, *more):
    return ("{" + ",".join([f'"schema":{schema}', f'"payload":{payload}', *more]) + "}").encode()


def a_field(schema):
    return f'{{"type":"struct","fields":[{{"field":"f",{schema[1:-1]}}}]}}'


KINDS = [f'{{"type":"{kind}"}}' for kind in [*sorted(WHOLE), "float", "double", "boolean", "string", "bytes"]] + [
    f'{{"type":"{base}","name":"{DATA}{name}","version":1{more}}}' for base, name, more in (
        ("bytes", "Decimal", ',"parameters":{"scale":"2"}'), ("bytes", "Decimal", ""), ("string", "Decimal", ""),
        ("bytes", "Decimal", ',"parameters":{"scale":"x"}'), ("int32", "Date", ""), ("int64", "Date", ""), ("string", "Date", ""),
        ("int32", "Time", ""), ("int64", "Time", ""), ("int64", "Timestamp", ""), ("int32", "Timestamp", ""), ("string", "Timestamp", ""))] + [
    '{"type":"array","items":{"type":"int32"}}', '{"type":"array","items":{"type":"string"}}',
    '{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}',
    '{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}',
    '{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32"}}',
    '{"type":"map","keys":{"type":"string","name":"k"},"values":{"type":"int32"}}',
    '{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","field":"b","optional":true}]}',
    '{"type":"struct","fields":[]}']
SHAPES = ["null", "true", "0", "-1", "300", "70000", "2147483648", "9223372036854775808", "1.9", "-1.9", "1e3", "1e30", '""', '"x"', '"AQ=="', '"AQ"',
          '"A"', '"!!"', '"AQ==AQ=="', '"-_8="', "[]", "[1]", "[null]", "[[1,\"x\"]]", "[[1]]", "[[1,2,3]]", "[1,[]]", '["x"]', "{}", '{"a":1}',
          '{"a":null}', '{"b":1}', '{"a":1,"b":"x","c":2}', '{"a":"x"}', '{"a":1,"a":2}', "86400000", "86400001", "[[null,\"x\"]]"]
SCHEMAS = ["null", "1", '"x"', "[]", "{}", '{"type":1}', '{"type":"x"}', '{"type":null}', '{"type":"struct"}', '{"type":"struct","fields":1}',
           '{"type":"struct","fields":[1]}', '{"type":"struct","fields":[null]}', '{"type":"struct","fields":[{"field":"a"}]}',
           '{"type":"struct","fields":[{"type":"int32"}]}', '{"type":"struct","fields":[{"type":"int32","field":1}]}',
           '{"type":"struct","fields":[{"type":"int32","field":""}]}',
           '{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"int32","field":"a"}]}', '{"type":"array"}', '{"type":"array","items":null}',
           '{"type":"array","items":1}', '{"type":"map"}', '{"type":"map","keys":{"type":"string"}}', '{"type":"map","values":{"type":"string"}}',
           '{"type":"map","keys":null,"values":{"type":"string"}}', '{"type":"int32","parameters":{"a":1}}', '{"type":"int32","parameters":[1]}',
           '{"type":"int32","parameters":{"a":null}}', '{"type":"int32","version":1.5}', '{"type":"int32","version":"1"}', '{"type":"int32","version":3000000000}',
           '{"type":"int32","name":1,"doc":2,"optional":"true"}', '{"type":"int32","default":null}', '{"type":"int32","default":"x"}',
           '{"type":"int8","default":300}', '{"type":"string","default":1}', '{"type":"string","optional":true,"default":1}',
           '{"type":"array","items":{"type":"int32"},"default":[1,"x"]}', '{"type":"array","items":{"type":"int32"},"default":[null]}',
           '{"type":"struct","fields":[],"default":{}}', '{"type":"struct","fields":[{"type":"int32","field":"a"}],"default":{"a":1}}',
           '{"type":"struct","fields":[{"type":"int32","field":"a"}],"default":{}}', '{"type":"struct","fields":[],"default":1}',
           '{"type":"struct","fields":[],"optional":true,"default":null}', '{"type":"int32","type":"string"}', '{"type":"INT32"}',
           '{"type":"bytes","default":"AQ=="}', '{"type":"bytes","default":"!"}', '{"type":"int32","field":"x"}', '{"type":"int32","extra":{}}']
SHAPES_OF_ENVELOPES = [b"null", b"{}", b'{"schema":null}', b'{"payload":1}', b'{"schema":null,"payload":1,"x":1}', b'{"payload":1,"schema":null}',
                       b'{"schema":null,"payload":1,"payload":2}', b'{"schema":null,"schema":{"type":"int32"},"payload":1}', b"[1,2]", b'"x"', b"1",
                       b'{"schema":null,"payload":{"b":[1.50,1e2,12345678901234567890,null]}}', b'{"schema":null,"payload":null}',
                       b'{"schema":{"type":"int32","optional":true},"payload":null}', b'{"schema":{"type":"int32"},"payload":null}',
                       b'{"schema":{"type":"int32"},"payload":1}garbage']


def edges():
    """Lines that are the same for each seed."""
    found = [(reader, text) for text in EDGES for reader in (0, 1)]
    found += [(reader, envelope(schema, shape)) for schema in KINDS for shape in SHAPES for reader in (1, 5)]
    found += [(1, envelope(a_field(schema), f'{{"f":{shape}}}')) for schema in KINDS for shape in SHAPES]
    found += [(reader, envelope(f'{{"type":"{kind}","default":{shape}}}', "null")) for kind in [*sorted(WHOLE), "float", "string", "bytes", "boolean"]
              for shape in SHAPES for reader in (1, 5)]
    found += [(1, envelope(schema, "1")) for schema in SCHEMAS]
    found += [(1, envelope(a_field(schema), "{}")) for schema in SCHEMAS if schema.startswith('{"')]
    found += [(reader, text) for text in SHAPES_OF_ENVELOPES for reader in (0, 1)]
    return found


class Raw(str):
    """A number by its text."""


def text_of(value):
    """JSON of lists, dicts and scalars, where numbers may be texts of numbers."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{text_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


class Maker:
    """Random schemas, and payloads which mostly fit them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.fits = False  # Whether payloads fit their schemas wholly, without nulls.

    def odds(self, one_in):
        return self.random.randrange(one_in) == 0

    def schema(self, depth):
        pick = self.random.choice
        kinds = ["whole", "float", "double", "boolean", "string", "bytes", "Decimal", "Date", "Time", "Timestamp"]
        kind = pick(kinds + ["array", "map", "struct", "struct"] if depth > 0 else kinds)
        schema = getattr(self, f"schema_{kind}", lambda _: {"type": kind})(depth)
        if self.odds(3):
            schema["optional"] = pick([True, True, False, "true", 1, None])
        if "name" not in schema and self.odds(6):
            schema["name"] = pick(["com.x.Rec", "é", "", 5])
        if self.odds(8):
            schema["doc"] = pick(["d", "", "a\"b", 7])
        if self.odds(8):
            schema["version"] = pick([0, 1, 3, "1", Raw("1.5"), -1])
        if self.odds(12):
            schema["parameters"] = pick([{"p": "q"}, {"b": "2", "a": "1"}, {}, {"p": 1}, 5]) \
                if schema.get("name") != DATA + "Decimal" else {"scale": "2", "p": "q"}
        # Kafka Connect refuses each default of a STRUCT, and we one that is null.
        if self.odds(6) and "fields" not in schema and not self.has_struct(schema):
            before, self.fits = self.fits, True
            schema["default"] = self.payload(schema)
            self.fits = before
        if self.odds(150):
            schema.pop(pick(sorted(schema)))
        return schema

    def has_struct(self, schema):
        return schema.get("type") == "struct" or any(
            self.has_struct(schema[part]) for part in ("items", "values") if part in schema)

    def schema_whole(self, depth):
        return {"type": self.random.choice(sorted(WHOLE))}

    def schema_Decimal(self, depth):
        scale = self.random.choice(["0", "1", "2", "5", "-3", "10"])
        return {"type": "bytes", "name": DATA + "Decimal", "version": 1, "parameters": {"scale": scale}}

    def schema_Date(self, depth):
        return {"type": "int32", "name": DATA + "Date", "version": 1}

    def schema_Time(self, depth):
        return {"type": "int32", "name": DATA + "Time", "version": 1}

    def schema_Timestamp(self, depth):
        return {"type": "int64", "name": DATA + "Timestamp", "version": 1}

    def schema_array(self, depth):
        return {"type": "array", "items": self.schema(depth - 1)}

    def schema_map(self, depth):
        keys = self.random.choice([{"type": "string"}, {"type": "int32"}, {"type": "string", "optional": True}])
        return {"type": "map", "keys": keys, "values": self.schema(depth - 1)}

    def schema_struct(self, depth):
        names = self.random.sample(["id", "a", "b", "é", "q\"", "field"], self.random.randrange(4))
        return {"type": "struct", "fields": [{**self.schema(depth - 1), "field": name} for name in names]}

    def payload(self, schema):
        if not self.fits and self.odds(40):
            return self.anything(1)
        if not self.fits and self.odds(4 if schema.get("optional") is True or "default" in schema else 60):
            return None
        name = schema.get("name")
        kind = name[len(DATA):] if isinstance(name, str) and name.startswith(DATA) else schema.get("type")
        return getattr(self, f"payload_{kind}", self.payload_whole)(schema)

    def payload_whole(self, schema):
        bits = self.random.randrange(WHOLE.get(schema.get("type"), 31) + 1)
        return self.random.choice([1, -1]) * self.random.getrandbits(bits + 1) // 2

    def payload_float(self, schema):
        # Few digits: Java before 19 writes some others with one too many.
        number = self.random.choice(["0", "-0.0", "1.5", "100", "1e21", "0.001", "1.1", "-12.5", "1e-5", "1234567", "1e7"])
        return Raw(number)

    payload_double = payload_float

    def payload_boolean(self, schema):
        return self.random.choice([True, False])

    def payload_string(self, schema):
        return "".join(self.random.choice(WORDS) for _ in range(self.random.randrange(4)))

    def payload_bytes(self, schema):
        return base64.b64encode(self.random.randbytes(self.random.randrange(7))).decode()

    def payload_Decimal(self, schema):
        whole = self.random.choice([1, -1]) * self.random.getrandbits(self.random.choice([1, 7, 8, 40, 100]))
        size = (whole + (whole < 0)).bit_length() // 8 + 1
        scale = self.scale(schema)
        scaled = Raw(f"{whole}.{'0' * scale}" if scale > 0 else f"{whole}E{-scale}")
        unscaled = base64.b64encode(whole.to_bytes(size, "big", signed=True)).decode()
        return self.random.choice([unscaled, scaled])

    @staticmethod
    def scale(schema):
        parameters = schema.get("parameters")
        return int(parameters["scale"]) if isinstance(parameters, dict) and "scale" in parameters else 0

    def payload_Date(self, schema):
        return self.random.randrange(-100000, 100000)

    def payload_Time(self, schema):
        return self.random.randrange(86400000)

    def payload_Timestamp(self, schema):
        return self.random.randrange(-10**12, 10**13)

    def payload_array(self, schema):
        return [self.payload(schema.get("items") or {}) for _ in range(self.random.randrange(3))]

    def payload_map(self, schema):
        # Keys whose order in a hash table is that of the alphabet.
        values = schema.get("values") or {}
        count = self.random.randrange(4)
        if (schema.get("keys") or {}).get("type") == "string":
            return {"abcd"[i]: self.payload(values) for i in range(count)}
        return [[i, self.payload(values)] for i in range(count)]

    def payload_struct(self, schema):
        fields = schema.get("fields") or []
        return {field.get("field", "x"): self.payload(field) for field in fields if not self.odds(9)}

    def anything(self, depth):
        pick = self.random.choice
        if depth > 0 and self.odds(2):
            items = [self.anything(depth - 1) for _ in range(self.random.randrange(3))]
            return pick([items, dict(zip("abc", items))])
        return pick([None, True, "x", "AQ==", 5, -7, 300, Raw("1.9"), Raw("1e3"), 2**63, 2**32 + 1, "", "!!"])

    def text(self):
        """The number of a JSON reader, and a text for it."""
        reader = self.random.randrange(8)
        if reader & 1:
            schema = self.schema(self.random.choice([3, 3, 3, 6]))
            text = text_of({"schema": schema, "payload": self.payload(schema)})
        else:
            text = text_of(self.anything(4))
        text = text.encode()
        if text[:1] in b'{["' and self.odds(40):
            at = self.random.randrange(len(text) + 1)
            text = self.random.choice([text[:at], text + b" x", text[:at] + b"\x01" + text[at:], text[:at] + text[at + 1:]])
        return reader, text

    def plain_text(self):
        """What may stand in a header."""
        pick = self.random.choice
        parts = ["1", "-1", "128", "40000", "3000000000", "1.5", "-0.0", "1e40", "1e400", "true", "FALSE", "null", "2019-08-23", "14:34:54.346Z",
                 "2019-08-23T14:34:54.346Z", "x", "", '"x"', '\\"', "[1,2]", '{"a":1}', '{"a":1,"b":"x"}', "[]", "{}", "[1,", '{"a"', "[1,x]", "[1,\"a\"]",
                 "[null]", "[1.5,2]", "[true,false]", "[[1],[2]]", ",", ":", " ", "\\", "{", "]", "grün", "\n", "0x1", "1L", "NaN", "+1", "007", "1.", ".5",
                 "9223372036854775808", "-129", "2019-13-45", "2019-08-23T14:34:54Z", "{a:1}", '{"a":[1,{"b":2}]}', "{1:2}", "{1:2,3:4}"]
        return pick(["", "", " "]).join(pick(parts) for _ in range(pick([1, 1, 1, 2, 2, 3, 4])))

    def line(self):
        """The number of a reader and bytes for it."""
        pick = self.random.choice
        reader = pick([*JSON] * 8 + [*STRINGS, BYTES, *NUMBERS, HEADERS, HEADERS, HEADERS, HEADERS])
        if reader in JSON:
            return self.text()
        if self.odds(30):
            return reader, None
        if reader == HEADERS:
            return reader, self.plain_text().encode()
        if reader in NUMBERS:
            return reader, self.random.randbytes(pick([1, 2, 4, 8, 8, self.random.randrange(10)]))
        if reader != STRINGS[-1] and self.odds(2):
            return reader, self.random.randbytes(self.random.randrange(12))
        text = self.payload_string(None)
        encodings = ["utf-8", "latin-1", "ascii", "utf-16", "utf-16-le", "cp1252", "koi8-r", "gb18030"]
        return reader, text.encode(encodings[reader - STRINGS[0]] if reader in STRINGS else "utf-8", "replace")


def line_of(reader, text):
    return f"{reader:02x} {'-' if text is None else text.hex()}"


def is_known(text, column, ours, java):
    """Whether a difference is meant."""
    # Java tells some faults by what it tripped over.
    if ours.startswith("!Invalid Decimal schema") or java.startswith("!Cannot invoke"):
        return True
    # A name of a logical type on another type than its own: Java's value has the class of the name.
    if MISNAMED.search(text):
        return True
    # A text is UTF-8 here: no halves of pairs of surrogates, nothing but the shortest form, no UTF-16.
    if re.search(rb"\\u[dD][89a-fA-F]", text) and not re.search(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]", text):
        return True
    # Jackson writes no more levels than it reads, with the envelope.
    if java.startswith("!Converting Kafka Connect data to byte[]") and len(text) > 1000:
        return True
    # Java before 19 writes some numbers with a digit too many.
    if any(as_numbers(unhexed(ours), form) == as_numbers(unhexed(java), form) for form in ">f >d".split()):
        return True
    # Entries of a map keep their order here.
    if column in STRINGS and sorted(unhexed(ours)) == sorted(unhexed(java)) and b"=" in unhexed(ours):
        return True
    if (column in JSON or column == HEADERS) and b":" in unhexed(ours) and \
            sorted_json(ours) == sorted_json(java) is not None:
        return True
    if ours.startswith("!Converting byte[]") and not is_utf8(text):
        return True
    # A signalling NaN of 32 bits is quiet here.
    if column in NUMBERS and len(unhexed(ours)) == 4 and math.isnan(struct.unpack(">f", unhexed(ours))[0]):
        return True
    # What the C library's table of GB18030 has not: private characters.
    if column == STRINGS[-1] and b"?" in unhexed(ours):
        return True
    # Headers: a list or map whose parts have no schema in common has none; 100 levels.
    if (java.startswith("!Invalid schema type for") and ("MAP" in java or "ARRAY" in java)) or "100 deep" in ours:
        return True
    if column in JSON and re.search(rb'"(items|keys|values)":null', unhexed(java)):
        return True
    # An object for an array: each value, also those of a name that comes twice.
    if b'"a":1,"a":2' in text and b'"array"' in text:
        return True
    # An array of bytes has no text in Java but the number of the object; years before 1 are ours by a sign.
    return column in STRINGS and any(part in unhexed(side).replace(b"\0", b"") for side, part in (
        (java, b"[B@"), (java, b"java.nio."), (ours, b"UTC -")))


def as_numbers(text, form):
    return re.sub(rb"[0-9.]+E-?[0-9]+|[0-9]+\.[0-9]{6,}", lambda number: struct.pack(form, float(number[0])), text.replace(b"\0", b""))


def sorted_json(column):
    try:
        return json.loads(unhexed(column), parse_float=str, parse_int=str,
                          object_pairs_hook=lambda pairs: ("{}", sorted(pairs, key=lambda pair: pair[0])))
    except (ValueError, RecursionError):
        return None


def is_utf8(text):
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in text


def is_same(column, ours, java):
    """Whether a column says the same: bytes to the byte; a message of ours may add its cause."""
    java = java.replace("java.util.LinkedHashMap", "java.util.HashMap")
    if java.startswith("!") or ours.startswith("!"):
        return java[:1] == ours[:1] and ours.startswith(java.rstrip())
    return ours == java


def unhexed(column):
    return b"" if column[:1] in "!n" else bytes.fromhex(column)


def difference(line, ours, java):
    ours, java = ours.split("\t"), java.split("\t")
    given = b"" if line.endswith("-") else bytes.fromhex(line[3:])
    # Our decimals have the scale of their schema from the moment they are read.
    if any(column.startswith("!Decimal value has mismatching scale") for column in java):
        return None
    if len(ours) < len(java):
        ours += ours * (len(java) - 1)
    for column, (one, other) in enumerate(zip(ours, java)):
        if not is_same(column, one, other) and not is_known(given, column, one, other):
            shown = [text if text.startswith("!") else unhexed(text).decode(errors="replace") for text in (one, other)]
            return f"{line[:2]} {given[:1000]!r} by converter {column}:\n  ours {shown[0][:1000]}\n  Java {shown[1][:1000]}"
    return None


def answers(command, lines):
    ended = subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, encoding="utf-8",
                           timeout=240, check=True)
    found = ended.stdout.split("\n")[:-1]
    assert len(found) == len(lines), f"{len(found)} answers to {len(lines)} lines of {command[0]}"
    return found


@test
def the_same_texts_become_the_same_bytes():
    reason = why_not(LIBS)
    if reason is not None:
        raise Skip(f"Apache Kafka cannot be had: {reason}")
    maker = Maker(SEED)
    lines = [line_of(*made) for made in edges() + [maker.line() for _ in range(TEXTS)]]
    ours = answers([os.path.abspath(word) for word in sys.argv[1:6]], lines)
    java = answers(["java", "-Xmx300m", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp",
                    f"{LIBS}/*:{LIBS}/libs/*", os.path.join(HERE, "Convert.java")], lines)
    different = [found for found in map(difference, lines, ours, java) if found is not None]
    refused = sum(line.startswith("!") for line in java[-TEXTS:])
    print(f"# {len(lines)} texts of seed {SEED}, {refused} refused by both")
    assert refused < TEXTS // 2, "most texts are refused: little was compared"
    assert not different, f"{len(different)} differ:\n" + "\n".join(different[:int(os.environ.get("SHOWN", "20"))])


main(sys.argv[6:])

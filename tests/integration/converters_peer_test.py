"""Our converters and Kafka Connect's own, given the same thousands of seeded random texts: what
each reads and writes again in every setting is the same to the byte, messages too.
Skipped unless KAFKA names the folder of Apache Kafka's jars, and there is java.

usage: KAFKA=DIR [SEED=NUMBER] [TEXTS=NUMBER] converters_peer_test.py CONVERT PLUGIN…
"""
import base64
import json
import os
import random
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
STRING = 8  # The column of the String converter.
WORDS = ["", "a", "grün", "\U0001f600", 'q"\\/', "\n\t\u0001\u001f", "null", "1", " x "]


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

    def line(self):
        """The number of a reader, and a text for it."""
        reader = self.random.randrange(8)
        if reader & 1:
            schema = self.schema(3)
            text = text_of({"schema": schema, "payload": self.payload(schema)})
        else:
            text = text_of(self.anything(4))
        text = text.encode()
        if text[:1] in b'{["' and self.odds(40):
            at = self.random.randrange(len(text) + 1)
            text = self.random.choice([text[:at], text + b" x", text[:at] + b"\x01" + text[at:]])
        return f"{reader} {text.hex()}"


def is_known(column, ours, java):
    """Whether a difference is meant."""
    # Java takes the values of an object for an array, and tells some faults by what it tripped over.
    if ours.startswith(("!Arrays should be encoded", "!Invalid Decimal schema")) or java.startswith("!Cannot invoke"):
        return True
    # Of two faults ours tells the first of the text, Java the first of the schema; and a part of a struct
    # that is null but required is refused when it is written, not when it is read.
    if java.startswith(("!Invalid value: null used for required", "!Invalid null value for")) and ours.startswith("!"):
        return True
    # An array of bytes has no text in Java but the number of the object; years before 1 are ours by a sign.
    return column == STRING and not ours.startswith("!") and (
        b"[B@" in unhexed(java) or b"java.nio." in unhexed(java) or b"UTC -" in unhexed(ours))


def is_same(column, ours, java):
    """Whether a column says the same: bytes to the byte; a message of ours may add its cause."""
    if java.startswith("!") or ours.startswith("!"):
        return java[:1] == ours[:1] and ours.startswith(java.rstrip())
    return ours == java


def unhexed(column):
    return b"null" if column == "null" else bytes.fromhex(column)


def difference(line, ours, java):
    ours, java = ours.split("\t"), java.split("\t")
    # Our decimals have the scale of their schema from the moment they are read.
    if any(column.startswith("!Decimal value has mismatching scale") for column in java):
        return None
    if len(ours) < len(java):
        ours += ours * (len(java) - 1)
    for column, (one, other) in enumerate(zip(ours, java)):
        if not is_same(column, one, other) and not is_known(column, one, other):
            shown = [text if text.startswith("!") else unhexed(text).decode(errors="replace") for text in (one, other)]
            return f"{line[0]} {bytes.fromhex(line[2:])!r} by converter {column}:\n  ours {shown[0]}\n  Java {shown[1]}"
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
    lines = [maker.line() for _ in range(TEXTS)]
    ours = answers([os.path.abspath(word) for word in sys.argv[1:5]], lines)
    java = answers(["java", "-Xmx300m", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp",
                    f"{LIBS}/*:{LIBS}/libs/*", os.path.join(HERE, "Convert.java")], lines)
    different = [found for found in map(difference, lines, ours, java) if found is not None]
    refused = sum(line.startswith("!") for line in java)
    print(f"# {len(lines)} texts of seed {SEED}, {refused} refused by both")
    assert refused < len(lines) // 2, "most texts are refused: little was compared"
    assert not different, f"{len(different)} differ:\n" + "\n".join(different[:int(os.environ.get("SHOWN", "20"))])


main(sys.argv[5:])

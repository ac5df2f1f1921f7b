"""The PostgreSQL source beside Debezium's: the same database, the same configuration, the same records, type by type.

Both write to one broker of ours, as JSON with schemas. Keys, values, schemas, headers and their order are
compared; times, transaction ids, positions and versions are not. A difference that is meant is written beside
its case, with the reason; connectors/postgres/README.md lists them for users.

Skipped unless KAFKA names a folder of Apache Kafka's jars, DEBEZIUM one of its PostgreSQL connector's, and there is java.

usage: KAFKA=DIR DEBEZIUM=DIR postgres_peer_test.py SLUICE [WORD…]
       SHOW=1 … also prints the records as they are
"""
import contextlib
import functools
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import postgres_types as types  # noqa: E402
from running_broker import RunningBroker  # noqa: E402
from running_connect import JSON, RunningConnect  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import Skip, cases, main, test  # noqa: E402

PROGRAM = sys.argv[1]
KAFKA, DEBEZIUM = os.environ.get("KAFKA"), os.environ.get("DEBEZIUM")
SHOW = os.environ.get("SHOW")
NOT_COMPARED = ("ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence", "xmin", "__lsn", "__when", "__ts_ms", "source_lsn")
server = broker = connect = worker = None
THEIRS = OURS = ""  # Names of the connectors, slots and topics; new ones in each case, for offsets last.
numbers = iter(range(1, 1000))
faults = []  # Of the case that runs.


# --- Reading the topics. ---

def consume(prefix):
    """{topic without its first part: [(key, value, headers)]}"""
    from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "none", "enable.partition.eof": True,
                         "enable.auto.commit": False})
    found = {name for name in consumer.list_topics(timeout=30).topics
             if re.match(rf"(\S*heartbeat[._])?{prefix}(?![0-9])", name)}
    consumer.assign([TopicPartition(name, 0, OFFSET_BEGINNING) for name in found])
    topics, waiting = {}, set(found)
    while waiting:
        message = consumer.poll(30)
        if message is None:
            raise AssertionError(f"topics do not end: {waiting}")
        if message.error():
            waiting.discard(message.topic())
            continue
        topics.setdefault(message.topic(), []).append(read(message))
    consumer.close()
    return {name.replace(prefix, "P", 1): records for name, records in topics.items()}


def read(message):
    headers = [(name, parsed(value)) for name, value in message.headers() or []]
    return parsed(message.key()), parsed(message.value()), headers


def parsed(data):
    if data is None:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "backslashreplace")


# --- Comparing. ---

def is_of_its_own(name, value):
    of_source = name == "version" and isinstance(value, str)  # That of a schema is a number.
    return of_source or (name in NOT_COMPARED and isinstance(value, (int, str)))


def neutral_collections(counted):
    """Theirs are in the order of a hash table, messages each for itself under the name of a Java object."""
    counts = {}
    for one in counted:
        name = "message" if "LogicalDecodingMessageId" in one["data_collection"] else one["data_collection"]
        counts[name] = counts.get(name, 0) + one["event_count"]
    return sorted(counts.items())


def neutral(value, prefix):
    """Without what cannot be the same."""
    if isinstance(value, dict):
        value = dict(value)
        if isinstance(value.get("data_collections"), list):
            value["data_collections"] = neutral_collections(value["data_collections"])
        return {name: 0 if is_of_its_own(name, inner) else neutral(inner, prefix) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [neutral(inner, prefix) for inner in value]
    return value.replace(prefix, "P") if isinstance(value, str) else value


def name_of(item, index):
    if isinstance(item, dict) and "field" in item:
        return item["field"]
    return item[0] if isinstance(item, list) and item and isinstance(item[0], str) else index


def differences(theirs, ours, path):
    """A line for each."""
    if type(theirs) is not type(ours):
        yield f"{path}: theirs {short(theirs)}, ours {short(ours)}"
    elif isinstance(theirs, dict):
        yield from differences_of_objects(theirs, ours, path)
    elif isinstance(theirs, list):
        yield from differences_of_lists(theirs, ours, path)
    elif repr(theirs) != repr(ours):  # NaN differs from itself.
        yield f"{path}: theirs {short(theirs)}, ours {short(ours)}"


def differences_of_objects(theirs, ours, path):
    for name in theirs:
        if name not in ours:
            yield f"{path}.{name}: only theirs, {short(theirs[name])}"
    for name in ours:
        if name not in theirs:
            yield f"{path}.{name}: only ours, {short(ours[name])}"
    both = [name for name in theirs if name in ours]
    if both != [name for name in ours if name in theirs]:
        yield f"{path}: another order, theirs {list(theirs)}, ours {list(ours)}"
    for name in both:
        yield from differences(theirs[name], ours[name], f"{path}.{name}")


def differences_of_lists(theirs, ours, path):
    if theirs and isinstance(theirs[0], dict) and "field" in theirs[0]:
        one, other = ({field["field"]: field for field in fields} for fields in (theirs, ours))
        yield from differences_of_objects(one, other, path)
        return
    if len(theirs) != len(ours):
        yield f"{path}: theirs has {len(theirs)}, ours {len(ours)}: {short(theirs)}, {short(ours)}"
    for index, (one, other) in enumerate(zip(theirs, ours)):
        yield from differences(one, other, f"{path}[{name_of(one, index)}]")


def short(value):
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()  # Halves of characters are shown.
    return text if len(text) < 300 else text[:300] + "…"


def differences_of_topics(theirs, ours):
    for name in sorted(set(theirs) | set(ours)):
        one, other = theirs.get(name, []), ours.get(name, [])
        if len(one) != len(other):
            yield (f"{name}: theirs has {len(one)} records {[op(r) for r in one]}, "
                   f"ours {len(other)} {[op(r) for r in other]}")
        for index, (mine, other_one) in enumerate(zip(one, other)):
            for part, left, right in zip(("key", "value", "headers"), mine, other_one):
                yield from differences(neutral(left, THEIRS), neutral(right, OURS), f"{name}#{index}.{part}")


def each_once(lines):
    """Rows of a table and both rows of an envelope have the same schema."""
    seen = set()
    for line in lines:
        same = re.sub(r"#\d+", "", line).replace(".fields.before.", ".fields.after.")
        if same not in seen:
            seen.add(same)
            yield line


def op(record):
    value = record[1]
    if not isinstance(value, dict) or not isinstance(value.get("payload"), dict):
        return "-"
    return value["payload"].get("op", "?")


# --- The two connectors on a database. ---

def database(statements):
    global THEIRS, OURS
    server.database = "postgres"
    number = next(numbers)
    THEIRS, OURS, name = f"theirs{number}", f"ours{number}", f"peer_{number}"
    server.sql(f"CREATE DATABASE {name}")
    server.database = name
    server.sql(*statements, "CREATE TABLE zz_end (id int PRIMARY KEY)", "CREATE PUBLICATION everything FOR ALL TABLES")
    return name


def configuration(prefix, keys):
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "database.hostname": "127.0.0.1", "database.port": str(server.port), "database.user": "postgres",
            "database.password": "none", "database.dbname": server.database, "plugin.name": "pgoutput",
            "publication.name": "everything", "publication.autocreate.mode": "disabled", "skipped.operations": "none",
            "topic.prefix": prefix, "slot.name": prefix, **keys}


def streaming():
    return server.sql("SELECT count(*) FROM pg_replication_slots WHERE active AND active_pid IN (SELECT pid FROM "
                      f"pg_stat_replication WHERE state = 'streaming') AND database = '{server.database}'") == "2"


def check_health():
    for name, fault in ((THEIRS, connect.fault(THEIRS)), (OURS, fault_of_ours())):
        if fault:
            raise AssertionError(f"{name} failed: {fault[:1000]}")


def fault_of_ours():
    _, status = worker.call("GET", f"/connectors/{OURS}/status")
    traces = [task.get("trace") for task in (status or {}).get("tasks", []) if task["state"] == "FAILED"]
    return traces[0] if traces else None


def await_health(true, what):
    def look():
        check_health()
        return true()

    until(look, lambda: what, 90)


def drop_slots():
    """A task of Debezium's that failed may hold its slot."""
    server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
    server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
    return server.sql("SELECT count(*) FROM pg_replication_slots") == "0"


@contextlib.contextmanager
def both_running(keys):
    connect.create(THEIRS, configuration(THEIRS, keys))
    try:
        status, body = worker.call("POST", "/connectors", {"name": OURS, "config": configuration(OURS, keys)})
        if status != 201:
            raise AssertionError(f"{status} {body}")
        yield
    finally:
        connect.delete(THEIRS)
        worker.call("DELETE", f"/connectors/{OURS}")
        until(drop_slots, seconds=60)


def await_end(topic, count):
    server.sql(f"INSERT INTO zz_end VALUES ({count})")
    for prefix in (THEIRS, OURS):
        await_health(lambda: ended(prefix, topic, count), f"the end of {prefix}")


def ended(prefix, topic, count):
    """Whether the last row that was written has come through."""
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "none"})
    try:
        name = topic.replace("P", prefix, 1)
        if name not in consumer.list_topics(timeout=30).topics:
            return False
        return consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=30)[1] >= count
    finally:
        consumer.close()


def records_of_both(before, changes, keys=None, end="P.public.zz_end", paced=False):
    """(theirs, ours): the topics after `before` was read as a snapshot and `changes` were streamed. `paced`: each
    change waits for the one before to have come through, because Debezium asks the catalog, which is as of now."""
    database(before)
    with both_running(keys or {}):
        await_health(streaming, "both stream")
        for count, change in enumerate(changes, 1):
            server.script(change) if "\n" in change else server.sql(change)
            if paced:
                await_end(end, count)
        await_end(end, len(changes) + 1 if paced else 1)
    theirs, ours = consume(THEIRS), consume(OURS)
    if SHOW:
        for name in sorted(theirs):
            for index, record in enumerate(theirs[name]):
                print(f"# {name}#{index} {json.dumps(record, ensure_ascii=False)}")
    return theirs, ours


def judge(theirs, ours, meant=None):
    """Fails with each difference that is not meant, and with each meaning that did not come up."""
    meant = meant or {}
    unused, found = set(meant), []
    for line in each_once(differences_of_topics(theirs, ours)):
        known = [pattern for pattern in meant if re.search(pattern, line)]
        unused -= set(known)
        if not known:
            found.append(line)
    return found + [f"no longer differs: {pattern}" for pattern in unused]


def compare(before, changes, keys=None, meant=None, **more):
    try:
        faults.extend(judge(*records_of_both(before, changes, keys, **more), meant))
    except AssertionError as fault:
        faults.append(f"{keys}: {fault}")


def peer_test(case):
    """Some compare several times; each is to be seen."""
    @functools.wraps(case)
    def collecting():
        faults.clear()
        case()
        if faults:
            raise AssertionError(f"{len(faults)} differences:\n" + "\n".join(faults))

    return test(collecting)


def compare_types(kinds, keys=None, meant=None, setup=types.SETUP):
    """A table of these columns, its rows read and then streamed."""
    compare([*setup, types.table("t", kinds), types.insert("t", kinds)],
            [types.insert("t", kinds, 101), "DELETE FROM t WHERE id > 100"], keys, meant)


# --- Cases: types. ---

SCALE = {r"\.n52(\.parameters\.scale)?: ": "a negative scale is 2046"}
MONEY = {r"after\.m: ": "its snapshots go through a double"}
VECTORS = {r"after\.(iv|ov): theirs (has 0|\[\])": "always empty"}
UNKNOWN_ARRAYS = {r"\.mrs(\.items|\.type)?: ": "an array of bytes"}
BIT_ARRAYS = {r"\.abt_?[.:]": "null only"}
WARN = {"event.converting.failure.handling.mode": "warn"}


@peer_test
def numbers_are_the_same():
    compare_types(types.NUMBERS)


@peer_test
def numbers_are_the_same_as_doubles():
    compare_types({**types.NUMBERS, **types.NO_NUMBERS}, {"decimal.handling.mode": "double"})


@peer_test
def numbers_are_the_same_as_strings():
    compare_types({**types.NUMBERS, **types.NO_NUMBERS}, {"decimal.handling.mode": "string"}, {**SCALE, **MONEY})


@peer_test
def numbers_that_are_none_are_the_same():
    compare_types(types.NO_NUMBERS, WARN, SCALE)


@peer_test
def money_is_rounded_the_same():
    for digits in ("0", "1", "4"):
        for mode in ("precise", "double", "string"):
            compare_types({"m": types.NUMBERS["m"]}, {"money.fraction.digits": digits, "decimal.handling.mode": mode},
                          MONEY if mode == "string" else None)


@peer_test
def texts_are_the_same():
    compare_types(types.TEXTS, meant={r"after\.nm: theirs null": "its stream has no name"})


@peer_test
def bytes_are_the_same():
    compare_types(types.BYTES)


@peer_test
def bytes_are_the_same_in_base64():
    compare_types({**types.BYTES, **types.ODD, **types.BYTE_ARRAYS},
                  {"binary.handling.mode": "base64", "include.unknown.datatypes": "true"}, {**VECTORS, **BIT_ARRAYS, **UNKNOWN_ARRAYS})


@peer_test
def bytes_are_the_same_in_base64_for_urls():
    compare_types({**types.BYTES, **types.ODD, **types.BYTE_ARRAYS},
                  {"binary.handling.mode": "base64-url-safe", "include.unknown.datatypes": "true"}, {**VECTORS, **BIT_ARRAYS, **UNKNOWN_ARRAYS})


@peer_test
def bytes_are_the_same_in_hex():
    compare_types({**types.BYTES, **types.ODD, **types.BYTE_ARRAYS},
                  {"binary.handling.mode": "hex", "include.unknown.datatypes": "true"}, {**VECTORS, **BIT_ARRAYS, **UNKNOWN_ARRAYS})


@peer_test
def dates_are_the_same():
    compare_types(types.DATES)


@peer_test
def dates_are_the_same_with_times_in_microseconds():
    compare_types({**types.DATES, **types.DATE_ARRAYS}, {"time.precision.mode": "adaptive_time_microseconds"})


@peer_test
def dates_are_the_same_as_kafka_connects_own():
    compare_types({**types.DATES, **types.DATE_ARRAYS}, {"time.precision.mode": "connect", **WARN})


@peer_test
def dates_are_the_same_as_strings():
    compare_types({**types.DATES, **types.DATE_ARRAYS}, {"time.precision.mode": "isostring", "interval.handling.mode": "string"},
                  {r"after\.tm\d?: theirs \"00:00:00Z\"": "24:00", r"after\.ts\d?: .*ours \"-?infinity\"": "a day for infinity"})


@peer_test
def dates_are_the_same_in_microseconds():
    compare_types({**types.DATES, **types.DATE_ARRAYS}, {"time.precision.mode": "microseconds"})


@peer_test
def dates_are_the_same_in_nanoseconds():
    compare_types({**types.DATES, **types.DATE_ARRAYS}, {"time.precision.mode": "nanoseconds", **WARN},
                  {r"after\.ts\d?: theirs -?\d+, ours (-?922337203685477580[78]|null)": "wraps around"})


@peer_test
def old_dates_are_the_same():
    compare_types(types.OLD_DATES, WARN,
                  {r"after\.(d|ts|ts3|tt): ": "its snapshots use another calendar, and infinity wraps around"})


@peer_test
def ranges_are_the_same():
    compare_types(types.RANGES)


@peer_test
def shapes_are_the_same():
    compare_types(types.SHAPES)


@peer_test
def odd_types_are_the_same():
    compare_types(types.ODD, meant=VECTORS)


@peer_test
def odd_types_are_the_same_when_unknown_ones_are_wanted():
    compare_types({**types.ODD, **types.SHAPES, **types.RANGES}, {"include.unknown.datatypes": "true"},
                  {**VECTORS, **UNKNOWN_ARRAYS, r"after\.(ci|ln|ls|bx|pa|po): ": "the JDBC driver's text"})


@peer_test
def domains_are_the_same():
    compare_types(types.DOMAINS, meant={r"\.adm: only ours": "arrays of domains are left out"})


@peer_test
def arrays_are_the_same():
    compare_types(types.ARRAYS, meant={r"\.(ae|atv)\.items\.optional": "elements may be null", **BIT_ARRAYS})


@peer_test
def arrays_in_arrays_are_the_same():
    compare_types(types.DEEP_ARRAYS, WARN, {r"after\.(aa|at)(\[\d\])?: theirs (\[|null|\"\[L)": "Java objects as text, nulls", r"\.(aa|at)\.items\.(type|items)": "never arrays of arrays"})


@peer_test
def hstore_is_the_same():
    compare_types(types.HSTORE)


@peer_test
def hstore_is_the_same_as_a_map():
    compare_types(types.HSTORE, {"hstore.handling.mode": "map"})


@peer_test
def types_of_extensions_are_the_same():
    setup = [line for name in types.EXTENSIONS for line in types.stand_in(name)]
    compare_types({f"{name}{i}": (f"{name}{array}", [v if not array else "ARRAY[" + v + f"]::{name}[]" for v in values])
                   for name, values in types.EXTENSIONS.items() for i, array in enumerate(("", "[]"))}, setup=setup,
                  meant={r"1\.items\.optional": "elements may be null", r"sparsevec1: theirs null": "its array is null"})


@peer_test
def types_of_postgis_are_the_same():
    server.database = "postgres"
    if server.sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'") == "0":
        raise Skip("the extension postgis is not installed: Debian has it as postgresql-15-postgis-3")
    compare_types(types.POSTGIS, setup=["CREATE EXTENSION postgis"])
    compare_types(types.POSTGIS, {"include.unknown.datatypes": "true"}, setup=["CREATE EXTENSION postgis"])


# --- Cases: records. ---

BIG = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 100) i)"


@peer_test
def defaults_are_the_same():
    compare(["CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE SEQUENCE seq",
             "CREATE TABLE d (id serial PRIMARY KEY, big bigserial, a int NOT NULL DEFAULT 5, neg int DEFAULT -5, t text NOT NULL DEFAULT 'x''y',"
             " b bool DEFAULT true, bf bool NOT NULL DEFAULT false, n numeric(6,2) DEFAULT 1.5, nv numeric DEFAULT 1.50, f float8 DEFAULT 0.1,"
             " f4 float4 DEFAULT 1.5, ts timestamptz NOT NULL DEFAULT now(), tl timestamp DEFAULT '2020-01-01 00:00', ct timestamp DEFAULT"
             " CURRENT_TIMESTAMP, u uuid DEFAULT gen_random_uuid(), uu uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', e mood NOT NULL"
             " DEFAULT 'ok', dd date NOT NULL DEFAULT '2020-01-01', cd date DEFAULT CURRENT_DATE, ex int DEFAULT (1+1), tm time DEFAULT '10:00',"
             " ttz timetz DEFAULT '10:00+01', ttzl timestamptz DEFAULT '2020-01-01 00:00+01', iv interval DEFAULT '1 day', j jsonb DEFAULT '{}',"
             " js json NOT NULL DEFAULT '[]', by bytea DEFAULT '\\x01', ai int[] DEFAULT '{1}', at text[] NOT NULL DEFAULT ARRAY['a'],"
             " m money DEFAULT 5, bt bit(3) DEFAULT B'101', bt1 bit(1) DEFAULT B'1', vb varbit DEFAULT B'1', c char(5) DEFAULT 'ab',"
             " vc varchar(5) DEFAULT 'a', nn text DEFAULT NULL, up text DEFAULT upper('a'), cat text DEFAULT 'a' || 'b', i8 int8 DEFAULT 9e9,"
             " i2 int2 NOT NULL DEFAULT 3, r int4range DEFAULT '[1,2)', ip inet DEFAULT '10.0.0.1', x xml DEFAULT '<a/>', usr text DEFAULT CURRENT_USER,"
             " nx bigint DEFAULT nextval('seq'), g int GENERATED ALWAYS AS IDENTITY, o oid DEFAULT 7, qc \"char\" DEFAULT 'a', d2 date DEFAULT now(),"
             " inf timestamp DEFAULT 'infinity')",
             "INSERT INTO d (big) VALUES (7)"],
            ["INSERT INTO d (big) VALUES (8)", "UPDATE d SET a = 6", "DELETE FROM d"], WARN,
            {r"\.(t|ttz|cat|r|ip|usr|o|qc|inf)(\.default)?: ": "defaults that it cuts off, does not know, or makes of expressions"})


@peer_test
def what_is_required_and_not_told_is_the_same():
    """A deletion tells the key alone; columns that are NOT NULL have something else then."""
    kinds = {**TYPES, **types.HSTORE, "pt": types.SHAPES["pt"]}
    kinds = {name: (kind, values[:1]) for name, (kind, values) in kinds.items() if name not in ("nm", "adm", "abt_", "avb_")}
    columns = ", ".join(f'"{name}" {kind} NOT NULL' for name, (kind, _) in kinds.items())
    row = ", ".join(values[0] for _, values in kinds.values())
    for keys in ({}, {"time.precision.mode": "isostring", "decimal.handling.mode": "string", "binary.handling.mode": "hex", "interval.handling.mode": "string",
                      "hstore.handling.mode": "map"}, {"time.precision.mode": "connect", "decimal.handling.mode": "double"}):
        compare([*types.SETUP, f"CREATE TABLE t (id int PRIMARY KEY, {columns})", f"INSERT INTO t VALUES (1, {row})"], ["DELETE FROM t"], {**keys, **WARN},
                {r"\.(ae|atv)_\.items\.optional": "elements may be null"})


@peer_test
def changes_of_rows_and_keys_are_the_same():
    compare(["CREATE TABLE two (b text, a int, n int NOT NULL, v numeric NOT NULL, j jsonb NOT NULL, by bytea NOT NULL,"
             " tm time NOT NULL, PRIMARY KEY (a, b))", "INSERT INTO two VALUES ('k', 1, 7, 1.5, '{}', '\\x01', '10:00')",
             "CREATE TABLE nokey (a int, b text)", "INSERT INTO nokey VALUES (1, 'x')",
             "CREATE TABLE f (id int PRIMARY KEY, t text)", "ALTER TABLE f REPLICA IDENTITY FULL", "INSERT INTO f VALUES (1, 'a')",
             "CREATE TABLE ff (a int, t text)", "ALTER TABLE ff REPLICA IDENTITY FULL", "INSERT INTO ff VALUES (1, 'a')",
             "CREATE TABLE un (a int NOT NULL UNIQUE, b text)", "CREATE TABLE kids (id int PRIMARY KEY REFERENCES f)"],
            ["INSERT INTO two VALUES ('l', 2, 8, 2.50, '{}', '\\x02', '11:00')", "UPDATE two SET a = 3 WHERE a = 1",
             "UPDATE two SET n = 9 WHERE a = 2", "UPDATE two SET a = 2, b = 'z' WHERE a = 2", "DELETE FROM two",
             "INSERT INTO nokey VALUES (2, 'y')", "UPDATE f SET t = 'b'", "UPDATE f SET id = 2", "UPDATE f SET id = 2", "DELETE FROM f",
             "UPDATE ff SET t = 'b'", "DELETE FROM ff", "INSERT INTO un VALUES (1, 'a')",
             "TRUNCATE two", "TRUNCATE f CASCADE", "TRUNCATE nokey, un RESTART IDENTITY"])


@peer_test
def no_tombstones_are_the_same():
    compare(["CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1), (2, 2)"],
            ["DELETE FROM t WHERE id = 1", "UPDATE t SET id = 3"], {"tombstones.on.delete": "false"})


@peer_test
def skipped_operations_are_the_same():
    changes = ["INSERT INTO t VALUES (3, 3)", "UPDATE t SET n = 9 WHERE id = 1", "UPDATE t SET id = 7 WHERE id = 2", "DELETE FROM t WHERE id = 1",
               "TRUNCATE t"]
    for skipped in ("t", "d", "c,t", "u"):
        compare(["CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1), (2, 2)"], changes,
                {"skipped.operations": skipped, "table.include.list": "public.t,public.zz_end"},
                end="P.public.t" if "c" in skipped else "P.public.zz_end")


@peer_test
def chosen_columns_and_keys_are_the_same():
    before = ["CREATE TABLE t (id int PRIMARY KEY, a int, b text, c text)", "INSERT INTO t VALUES (1, 1, 'x', 'y')",
              "CREATE TABLE nokey (a int, b text)", "INSERT INTO nokey VALUES (1, 'x')", "ALTER TABLE nokey REPLICA IDENTITY FULL",
              "ALTER TABLE t REPLICA IDENTITY FULL"]
    changes = ["INSERT INTO t VALUES (2, 2, 'x', 'y')", "UPDATE t SET a = 5 WHERE id = 2", "UPDATE t SET id = 6 WHERE id = 2", "DELETE FROM t",
               "UPDATE nokey SET b = 'z'", "UPDATE nokey SET a = 8", "DELETE FROM nokey"]
    compare(before, changes, {"column.exclude.list": "public.t.b,.*NOKEY.b", "message.key.columns": "public.t:a,id;public.nokey:a"})
    compare(before, changes, {"column.include.list": "public.t.(id|a),public.zz_end.id"})
    compare(before, changes, {"message.key.columns": "(.*).t:c,b"})


TYPES = {**types.NUMBERS, **types.TEXTS, **types.BYTES, **types.DATES, **types.RANGES, **types.DOMAINS,
         **{f"{name}_": kind for name, kind in types.ARRAYS.items()}}
TYPES_MEANT = {r"after\.nm: theirs null": "its stream has no name", r"\.adm: only ours": "arrays of domains are left out",
               r"\.(ae|atv)_\.items\.optional": "elements may be null", **BIT_ARRAYS}
MASKED = ["CREATE TABLE t (k varchar(20) PRIMARY KEY, v5 varchar(5), v20 varchar(20), c5 char(5), tx text, nn text NOT NULL DEFAULT 'dflt',"
          " dv varchar(9) DEFAULT 'x', big text)", f"INSERT INTO t VALUES ('é😀b', 'é😀ab', 'é😀 hello', 'ab', 'text é😀', 'nn', 'y', {BIG})",
          "ALTER TABLE t ALTER COLUMN big SET STORAGE EXTERNAL", "INSERT INTO t (k) VALUES ('n')"]
MASKED_CHANGES = ["INSERT INTO t VALUES ('k2', 'abcde', 'abcdefghij', 'abc', 'zz', 'q')", "UPDATE t SET tx = 'new' WHERE k = 'k2'",
                  "UPDATE t SET tx = 'new' WHERE k = 'é😀b'", "UPDATE t SET k = 'k3' WHERE k = 'k2'", "DELETE FROM t WHERE k = 'k3'"]


@peer_test
def masked_columns_are_the_same():
    for key in ("mask.with.7.chars", "mask.with.0.chars", "mask.hash.SHA-256.with.salt.CzQMA0cB5K", "mask.hash.v2.MD5.with.salt.a.b",
                "mask.hash.v2.SHA-512/256.with.salt.x", "truncate.to.3.chars", "truncate.to.0.chars"):
        compare(MASKED, MASKED_CHANGES, {f"column.{key}": "public.t.*, nothing"})
    compare(MASKED, MASKED_CHANGES, {"column.mask.with.2.chars": "public.t.tx,public.t.nn", "column.truncate.to.1.chars": "public.t.(tx|v5)",
                                     "column.mask.hash.SHA-1.with.salt.y": "public.t.(k|big|nn)"})


@peer_test
def masked_columns_of_every_type_are_the_same():
    named = {pattern: why for pattern, why in TYPES_MEANT.items() if "nm" not in pattern}
    compare_types(TYPES, {"column.mask.with.7.chars": "public.t.*"}, named)
    compare_types(TYPES, {"column.mask.hash.v2.SHA-1.with.salt.x": "public.t.*"}, TYPES_MEANT)
    compare_types(TYPES, {"column.truncate.to.2.chars": "public.t.*"}, {
        **TYPES_MEANT, r'after\.vc: theirs "é\\ud83d", ours "é"': "half a character", r"nv\.parameters: only ours": "another length in its snapshots"})


@peer_test
def types_of_the_source_are_the_same():
    kinds = {**TYPES, "tm1": ("time(1)", ["'10:00'"]), "ts2": ("timestamp(2)", ["'2000-01-01'"]),
             "ivy": ("interval year", ["'1 year'"]), "ivd": ("interval day", ["'1 day'"]), "iv3": ("interval(3)", ["'1 day'"]),
             "vcn": ("varchar", ["'x'"]), "ser": ("serial", ["1", "2", "3", "4", "5", "6", "7"]), "big": ("bigserial", ["1", "2", "3", "4", "5", "6", "7"]), **types.SHAPES, **types.ODD, **types.HSTORE}
    snapshots = {r"\.(act_|ct)\.parameters\S+type: theirs \S+CI": "its snapshots say the schema", r"theirs \"(BIG)?SERIAL\"": "its snapshots say serial",
                 r"\.(nv|iv|ov)\.parameters": "lengths of its snapshots"}
    compare_types(kinds, {"column.propagate.source.type": ".*"}, {**TYPES_MEANT, **VECTORS, **snapshots})
    compare_types({"ct": types.TEXTS["ct"], "n": types.NUMBERS["n"], "vc": types.TEXTS["vc"]},
                  {"datatype.propagate.source.type": "public.t.(int4|NUMERIC),.+\\.citext.?"}, {r"\.ct\.parameters: only ours": "its snapshots say the schema"})
    compare(["CREATE TABLE t (k varchar(20) PRIMARY KEY, v int)", "COMMENT ON COLUMN t.v IS 'what'", "INSERT INTO t VALUES ('a', 1)"], ["UPDATE t SET v = 2"],
            {"column.propagate.source.type": "public.t.*", "column.mask.with.2.chars": "public.t.k"}, {r"\.k\.parameters": "a mask hides the type too"})


@peer_test
def chosen_tables_are_the_same():
    before = ["CREATE SCHEMA s", "CREATE TABLE s.a (id int PRIMARY KEY)", "CREATE TABLE s.ab (id int PRIMARY KEY)", "CREATE TABLE a (id int PRIMARY KEY)",
              "INSERT INTO s.a VALUES (1)", "INSERT INTO s.ab VALUES (1)", "INSERT INTO a VALUES (1)"]
    changes = ["INSERT INTO s.a VALUES (2)", "INSERT INTO s.ab VALUES (2)", "INSERT INTO a VALUES (2)"]
    compare(before, changes, {"table.include.list": "S.A, public\\.zz_end"})
    compare(before, changes, {"table.exclude.list": "s\\.a.+"})
    compare(before, changes, {"schema.include.list": "pub.*", "topic.delimiter": "-"}, end="P-public-zz_end")
    compare(before, changes, {"schema.exclude.list": "s"})


@peer_test
def odd_names_are_the_same():
    compare(['CREATE SCHEMA "Odd \\"".Schema"'.replace("\\", ""), 'CREATE TABLE "Mixed Case" ("Id" int PRIMARY KEY, "a b" text, "x.y" int, "0" int, "select" int)',
             'INSERT INTO "Mixed Case" VALUES (1, \'x\', 2, 3, 4)', 'CREATE TABLE mixed_case (id int PRIMARY KEY)',
             'CREATE TABLE "a-b" ("a-b" int PRIMARY KEY)', 'INSERT INTO "a-b" VALUES (1)'],
            ['INSERT INTO "Mixed Case" VALUES (2, \'x\', 2, 3, 4)', 'UPDATE "Mixed Case" SET "Id" = 5 WHERE "Id" = 2', 'DELETE FROM "a-b"'])


@peer_test
def adjusted_names_are_the_same():
    before = ['CREATE TABLE "Mixed Case" ("Id" int PRIMARY KEY, "a b" text, "x.y" int, "0" int, "a-é" numeric, "_" int)',
              'CREATE TABLE "0-" (id int PRIMARY KEY)', 'INSERT INTO "0-" VALUES (1)', 'INSERT INTO "Mixed Case" VALUES (1, \'x\', 2, 3, 4, 5)', 'CREATE TABLE "a-b" ("a-b" int PRIMARY KEY)', 'INSERT INTO "a-b" VALUES (1)']
    changes = ['INSERT INTO "Mixed Case" VALUES (2, \'x\', 2, 3, 4, 5)', 'DELETE FROM "a-b"']
    for mode in ("avro", "avro_unicode"):
        compare(before, changes, {"schema.name.adjustment.mode": mode, "field.name.adjustment.mode": mode},
                {r"a_(__?|u002d_u(00e9|ffc3_uffa9))[:.]? ?": "its stream garbles names that are not ASCII"})


@peer_test
def partitions_are_the_same():
    before = ["CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)", "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
              "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)", "INSERT INTO t VALUES (1, 1), (11, 1)"]
    changes = ["INSERT INTO t VALUES (2, 2), (12, 2)", "UPDATE t SET id = 13 WHERE id = 1", "UPDATE t SET id = 3 WHERE id = 2", "DELETE FROM t"]
    compare(before, changes, meant={r"^P.public.t: theirs has 2 records": "rows come twice", r"source.snapshot": "so the marks differ"})
    compare([*before, "CREATE PUBLICATION rooted FOR ALL TABLES WITH (publish_via_partition_root = true)"], changes, {"publication.name": "rooted"},
            {r"^P.public.t[12]: theirs has 1": "rows come twice", r"source.snapshot": "so the marks differ"})


@peer_test
def changed_tables_are_the_same():
    compare(["CREATE TABLE t (id int PRIMARY KEY, a text, b int)", "INSERT INTO t VALUES (1, 'x', 1)"],
            ["ALTER TABLE t ADD COLUMN d numeric(5,1) NOT NULL DEFAULT 1.5", "INSERT INTO t VALUES (3, 'z', 3, 2.5)", "ALTER TABLE t RENAME COLUMN a TO aa",
             "UPDATE t SET b = 5", "ALTER TABLE t DROP COLUMN b, ALTER COLUMN aa TYPE int USING 7", "INSERT INTO t VALUES (4, 8, 3.5)",
             "BEGIN;\nINSERT INTO t VALUES (5, 8, 3.5);\nALTER TABLE t ADD COLUMN late text;\nINSERT INTO t VALUES (6, 8, 3.5, 'x');\nCOMMIT;",
             "ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (7, 9, 4.5, 'y')", "CREATE TABLE fresh (id int PRIMARY KEY)", "INSERT INTO fresh VALUES (1)",
             "ALTER TABLE u DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (aa, id)", "INSERT INTO u VALUES (8, 9, 4.5, 'y')"], paced=True)


@peer_test
def untouched_large_values_are_the_same():
    kinds = {"t": ("text", f"{BIG}"), "by": ("bytea", f"decode({BIG}, 'hex')"), "j": ("json", f"to_json({BIG})"), "jb": ("jsonb", f"to_jsonb({BIG})"),
             "x": ("xml", f"{BIG}::xml"), "at": ("text[]", f"ARRAY[{BIG}]"), "ai": ("int[]", "(SELECT array_agg(i * 7919) FROM generate_series(1, 900) i)"),
             "a8": ("int8[]", "(SELECT array_agg(i * 7919::int8) FROM generate_series(1, 500) i)"),
             "a2": ("int2[]", "(SELECT array_agg(i::int2) FROM generate_series(1, 1500) i)"),
             "au": ("uuid[]", "(SELECT array_agg(md5(i::text)::uuid) FROM generate_series(1, 900) i)"),
             "af": ("float8[]", "(SELECT array_agg(random()) FROM generate_series(1, 400) i)"),
             "an": ("numeric[]", "(SELECT array_agg(random()::numeric) FROM generate_series(1, 400) i)"),
             "ad": ("date[]", "(SELECT array_agg('2000-01-01'::date + i) FROM generate_series(1, 900) i)"),
             "ab": ("bytea[]", f"ARRAY[decode({BIG}, 'hex')]"), "ajb": ("jsonb[]", f"ARRAY[to_jsonb({BIG})]"),
             "ats": ("timestamp[]", "(SELECT array_agg('2000-01-01'::timestamp + i * interval '1.000001s') FROM generate_series(1, 400) i)"),
             "att": ("timestamptz[]", "(SELECT array_agg('2000-01-01'::timestamptz + i * interval '1.000001s') FROM generate_series(1, 400) i)"),
             "hs": ("hstore", f"hstore('a', {BIG})"), "ct": ("ci.citext", f"{BIG}::ci.citext"), "vb": ("varbit", f"repeat(md5('a'), 1000)::text::bytea::text::varbit"),
             "nv": ("numeric", f"(repeat('1234567891', 600) || '.5')::numeric"), "tv": ("tsvector", "(SELECT string_agg(md5(i::text), ' ')::tsvector FROM generate_series(1, 100) i)"),
             "vc": ("varchar", f"{BIG}"), "aip": ("inet[]", "(SELECT array_agg('10.0.0.1'::inet + i) FROM generate_series(1, 400) i)"),
             "nt": ("text NOT NULL", f"{BIG}")}
    kinds.pop("vb")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in kinds.items())
    values = ", ".join(value for _, value in kinds.values())
    external = [f"ALTER TABLE t ALTER COLUMN {name} SET STORAGE EXTERNAL" for name in kinds]
    before = [*types.SETUP, f"CREATE TABLE t (id int PRIMARY KEY, n int, {columns})", *external, f"INSERT INTO t VALUES (1, 1, {values})"]
    changes = ["UPDATE t SET n = 2", "UPDATE t SET id = 5", "ALTER TABLE t REPLICA IDENTITY FULL", "UPDATE t SET n = 3", "DELETE FROM t"]
    meant = {r"after\.(att|aip): theirs null": "null for what was not sent"}
    compare(before, changes, meant=meant)
    compare(before, changes, {"binary.handling.mode": "hex", "hstore.handling.mode": "map", "unavailable.value.placeholder": "hex:6e6f6e65",
                              "decimal.handling.mode": "string", "time.precision.mode": "connect"},
            {**meant, r"after\.(an|ab): theirs null": "the same"})
    compare(before, changes, {"binary.handling.mode": "base64"}, {**meant, r"after\.(by|ab): theirs null": "the same"})


@peer_test
def logical_messages_are_the_same():
    changes = ["SELECT pg_logical_emit_message(true, 'one', 'text é')", "SELECT pg_logical_emit_message(false, 'two', '\\x00ff'::bytea)",
               "BEGIN;\nINSERT INTO t VALUES (1);\nSELECT pg_logical_emit_message(true, 'one', '');\nSELECT pg_logical_emit_message(false, 'two', 'x');\n"
               "INSERT INTO t VALUES (2);\nCOMMIT;"]
    for keys in ({}, {"message.prefix.include.list": "o.*", "binary.handling.mode": "base64"}, {"message.prefix.exclude.list": "one"},
                 {"provide.transaction.metadata": "true"}, {"topic.delimiter": "_"}):
        compare(["CREATE TABLE t (id int PRIMARY KEY)"], changes, keys, end=f"P{keys.get('topic.delimiter', '.')}public{keys.get('topic.delimiter', '.')}zz_end")


@peer_test
def transaction_metadata_is_the_same():
    compare(["CREATE TABLE t (id int PRIMARY KEY, n int)", "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO t VALUES (1, 1)"],
            ["INSERT INTO t VALUES (2, 2)", "BEGIN;\nINSERT INTO t VALUES (3, 3), (4, 4);\nINSERT INTO u VALUES (1);\nUPDATE t SET n = 7 WHERE id = 3;\n"
             "UPDATE t SET id = 9 WHERE id = 4;\nDELETE FROM u;\nTRUNCATE u;\nCOMMIT;", "CREATE TABLE v (id int)", "BEGIN;\nSELECT 1;\nCOMMIT;"],
            {"provide.transaction.metadata": "true"})


@peer_test
def heartbeats_are_the_same():
    for more in ({}, {"topic.heartbeat.prefix": "my-heartbeat"}, {"topic.delimiter": "_"}):
        delimiter = more.get("topic.delimiter", ".")
        theirs, ours = records_of_both(
            ["CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE beats (n int)"], ["INSERT INTO t VALUES (1)"],
            {"heartbeat.interval.ms": "300", "heartbeat.action.query": "INSERT INTO beats VALUES (1)", "table.exclude.list": "public.beats",
             **more}, end=f"P{delimiter}public{delimiter}zz_end", paced=True)
        for topics in (theirs, ours):  # How many there are is a matter of time.
            for name in topics:
                topics[name] = topics[name][:1] if "heartbeat" in name else topics[name]
            if not any("heartbeat" in name for name in topics):
                raise AssertionError(f"no heartbeats: {list(topics)}")
        faults.extend(judge(theirs, ours))


@peer_test
def changes_of_another_origin_are_the_same():
    compare(["CREATE TABLE t (id int PRIMARY KEY)", "SELECT pg_replication_origin_create('elsewhere')"],
            ["SELECT pg_replication_origin_session_setup('elsewhere');\nBEGIN;\nSELECT pg_replication_origin_xact_setup('0/7', '2020-01-01Z');\n"
             "INSERT INTO t VALUES (1);\nCOMMIT;\nINSERT INTO t VALUES (2);", "SELECT pg_replication_origin_drop('elsewhere')"])


@peer_test
def unchanged_messages_are_skipped_the_same():
    compare(["CREATE TABLE t (id int PRIMARY KEY, a int, b int)", "INSERT INTO t VALUES (1, 1, 1)", "ALTER TABLE t REPLICA IDENTITY FULL"],
            ["UPDATE t SET a = 1", "UPDATE t SET b = 2", "UPDATE t SET a = 2"], {"skip.messages.without.change": "true", "column.exclude.list": "public.t.b"})


UNWRAP = {"transforms": "unwrap", "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState"}


@peer_test
def unwrapped_rows_are_the_same():
    before = ["CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 7, t text NOT NULL DEFAULT 'd')", "INSERT INTO t VALUES (1, 1, 'a')",
              "CREATE TABLE f (id int PRIMARY KEY, n int DEFAULT 7, t text)", "ALTER TABLE f REPLICA IDENTITY FULL", "INSERT INTO f VALUES (1, 1, 'a')"]
    changes = ["INSERT INTO t VALUES (2, NULL, 'b')", "UPDATE t SET n = 2 WHERE id = 1", "UPDATE t SET id = 3 WHERE id = 1", "DELETE FROM t", "TRUNCATE t",
               "UPDATE f SET n = NULL", "DELETE FROM f"]
    for more in ({}, {"delete.tombstone.handling.mode": "drop"}, {"delete.tombstone.handling.mode": "rewrite", "add.fields": "op,table,lsn,source.ts_ms:when,transaction.id"},
                 {"delete.tombstone.handling.mode": "rewrite-with-tombstone", "add.headers": "op,db", "add.headers.prefix": "h."},
                 {"delete.tombstone.handling.mode": "delete-to-tombstone", "replace.null.with.default": "false", "add.fields": "before.n,after.id,ts_ms"},
                 {"add.fields.prefix": "", "add.fields": "op:operation,source.lsn"}):
        compare(before, changes, {**UNWRAP, **{f"transforms.unwrap.{key}": value for key, value in more.items()}},
                {r"headers: theirs has": "a tombstone has the deletion's too"} if more.get("add.headers") else None)


def run_beside(run):
    """`run` with the servers and both workers; or one skipped case, where Debezium cannot be had."""
    global server, broker, connect, worker
    why_not = RunningConnect.why_not(KAFKA, DEBEZIUM) or (None if is_there() else "no PostgreSQL server is installed")
    if why_not:
        def debezium_can_be_had():
            raise Skip(f"Debezium cannot be had: {why_not}")

        cases[:] = [debezium_can_be_had]
        main([])
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RunningPostgres("fsync=off"))
        broker = stack.enter_context(RunningBroker(PROGRAM))
        connect = stack.enter_context(RunningConnect(KAFKA, DEBEZIUM, broker.address))
        worker = stack.enter_context(RunningWorker([PROGRAM, "standalone"], {
            "bootstrap.servers": broker.address, "key.converter": JSON, "value.converter": JSON}))
        run(sys.argv[2:])


if __name__ == "__main__":
    run_beside(main)

"""The PostgreSQL source's records against a real server: every type read and streamed alike, and what is not of
rows. tests/integration/postgres_peer_test.py compares the same with Debezium's.

usage: postgres_types_test.py POSTGRES_RUN [WORD…]
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import postgres_types as types  # noqa: E402
import running_source  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_source import Connector  # noqa: E402
from tap import Skip, cases, check_equal, main, test  # noqa: E402

RUN = sys.argv[1]
server = None
WARN = {"event.converting.failure.handling.mode": "warn"}
SETUP = (*types.SETUP, "CREATE DOMAIN feeling AS mood",
         *(line for name in types.EXTENSIONS for line in types.stand_in(name)))
GROUPS = {
    "numbers": types.NUMBERS, "no_numbers": types.NO_NUMBERS, "texts": types.TEXTS, "bytes": types.BYTES,
    "dates": types.DATES, "old_dates": types.OLD_DATES, "ranges": types.RANGES, "shapes": types.SHAPES,
    "odd": types.ODD, "domains": {**types.DOMAINS, "de": ("feeling", ["'ok'"])}, "arrays": types.ARRAYS,
    "deep": types.DEEP_ARRAYS, "hstore": types.HSTORE,
    "extensions": {name: (name, values) for name, values in types.EXTENSIONS.items()},
}
MODES = (
    {}, {"time.precision.mode": "isostring", "binary.handling.mode": "hex", "decimal.handling.mode": "string",
         "interval.handling.mode": "string", "hstore.handling.mode": "map", "include.unknown.datatypes": "true"},
)


def read(line):
    """Also numbers that are none, and maps with numbers as keys."""
    line = re.sub(r'([:\[,])(-?(?:nan|inf))(?=[,\]}])', r'\1"\2"', line)
    return read_as_ever(re.sub(r'([{,])(\d+):', r'\1"\2":', line))


read_as_ever, running_source.read = running_source.read, read


def rows_of(records, group):
    """{number of the row: its columns} of one table."""
    found = {}
    for record in records:
        row = dict((record["value"] or {}).get("after") or {})
        if record["topic"] == f"p.public.t_{group}" and row:
            found[row.pop("id")] = row
    return found


@test
def every_value_of_every_type_is_the_same_read_and_streamed():
    for keys in MODES:
        connector = Connector(*SETUP, *(types.table(f"t_{name}", kinds) for name, kinds in GROUPS.items()),
                              *(types.insert(f"t_{name}", kinds) for name, kinds in GROUPS.items()))
        read = connector.run({**keys, **WARN}, "-s")
        server.sql(*(types.insert(f"t_{name}", kinds, 101) for name, kinds in GROUPS.items()))
        streamed = connector.run({**keys, **WARN}, "-s")
        schemas = [{record["topic"]: record["schema"] for record in records} for records in (read, streamed)]
        check_equal(schemas[0], schemas[1])
        for name in GROUPS:
            one, other = rows_of(read, name), rows_of(streamed, name)
            check_equal({number + 100: row for number, row in one.items()}, other)
            check_equal(len(one), max(len(values) for _, values in GROUPS[name].values()))


@test
def values_of_odd_types_are_exact():
    names = ("odd", "shapes", "hstore", "old_dates", "domains")
    connector = Connector(*SETUP, *(types.table(f"t_{name}", GROUPS[name]) for name in names),
                          *(types.insert(f"t_{name}", GROUPS[name]) for name in names))
    records = connector.run(WARN)
    odd = rows_of(records, "odd")[1]
    check_equal((odd["iv"], odd["ov"], odd["is"]), ([1, 2], [1, 2], "0-393-04002-X"))
    check_equal(set(odd), {"iv", "ov", "is"})
    check_equal(rows_of(records, "shapes")[1]["pt"]["x"], 1.5)
    check_equal(rows_of(records, "hstore")[1]["hs"], '{"a":"1","b":null,"c \\"q\\" d":"e, é"}')
    old = rows_of(records, "old_dates")
    check_equal([old[i]["d"] for i in (1, 2, 3, 6)], [-735160, 2147483647, -2147483648, -719162])
    check_equal(old[1]["tt"], "-0043-03-15T12:00:00.000000Z")
    domains = rows_of(records, "domains")[1]
    check_equal((domains["dd"], domains["de"], domains["da"]), ("0x02d5", "ok", [1, 2]))


@test
def a_default_of_a_numeric_without_a_scale_does_not_stop_the_task():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY, n numeric NOT NULL DEFAULT 1.50)", "INSERT INTO t VALUES (1)")
    check_equal(connector.run()[0]["value"]["after"]["n"], {"scale": 1, "value": "0x0f"})
    server.sql("DELETE FROM t")
    check_equal(connector.run()[0]["value"]["before"]["n"], {"scale": 0, "value": "0x00"})


@test
def what_a_column_tells_of_its_source_is_not_told_in_the_key():
    connector = Connector("CREATE TABLE t (n numeric, p point, PRIMARY KEY (n))", "INSERT INTO t VALUES (1.5, '(1,2)')")
    keys = {"column.propagate.source.type": ".*", "message.key.columns": "public.t:(n|P)"}
    record = connector.run(keys, "-s")[0]
    check_equal(record["key"]["n"], {"scale": 1, "value": "0x0f"})
    check_equal((list(record["key"]), record["key"]["p"]["x"]), (["n", "p"], 1))
    check_equal(record["value"]["after"]["n"], record["key"]["n"])


@test
def not_null_that_does_not_hold_does_not_stop_the_snapshot():
    connector = Connector("CREATE DOMAIN must AS int NOT NULL", "CREATE TABLE t (id int PRIMARY KEY, m must, n numeric(5,1) NOT NULL)",
                          "INSERT INTO t VALUES (1, 7, 1.5), (2, 8, 'NaN'), (3, 9, 2.5)")
    records = connector.run(WARN, "-s")
    check_equal(running_source.after(records, "n"), ["0x0f", None, "0x19"])
    check_equal([("m INT32," in r["schema"], "Decimal]?" in r["schema"]) for r in records], [(True, False), (True, True), (True, True)])


@test
def arrays_of_more_dimensions_than_declared_are_what_they_are():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY, a int[], b text[])", "ALTER TABLE t REPLICA IDENTITY FULL",
                          "INSERT INTO t VALUES (1, '{1}', '{a}'), (2, '{{1,2},{3,NULL}}', '{b}'), (3, '{}', NULL), (4, '[0:0][2:3]={{5,6}}', '{c}')")
    check_equal(running_source.after(connector.run({}, "-s"), "a"), [[1], [[1, 2], [3, None]], [], [[5, 6]]])
    server.sql("INSERT INTO t VALUES (5, '{{7}}', '{{{d}},{{e}}}')", "UPDATE t SET b = '{{{f}}}' WHERE id = 5")
    records = connector.run({}, "-s")
    check_equal([(r["value"]["after"]["a"], r["value"]["after"]["b"]) for r in records], [([[7]], [[["d"]], [["e"]]]), ([[7]], [[["f"]]])])
    server.sql("INSERT INTO t VALUES (6, '{{8}}', '{g}')")
    check_equal(running_source.after(connector.run({}), "b"), [["g"]])
    server.sql("INSERT INTO t VALUES (7, '{{9}}', '{{h}}'), (8, '{{9}}', '{i}')")
    running_source.check_has(connector.fault(), "column 'b' of table 'public.t': the array has another number of dimensions than the column is declared"
                             " with or had before: make them alike, or set event.converting.failure.handling.mode=warn, which gives null")


@test
def logical_messages_are_records_of_their_own_topic():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    keys = {"snapshot.mode": "no_data", "message.prefix.exclude.list": "unwanted.*"}
    connector.run(keys)
    server.sql("SELECT pg_logical_emit_message(true, 'one', 'text')", "SELECT pg_logical_emit_message(true, 'unwanted 1', 'x')",
               "SELECT pg_logical_emit_message(false, 'two', '\\x00ff'::bytea)", "INSERT INTO t VALUES (1)")
    one, two, row = connector.run(keys)
    check_equal((one["topic"], one["key"], one["value"]["op"]), ("p.message", {"prefix": "one"}, "m"))
    check_equal(one["value"]["message"], {"prefix": "one", "content": "0x74657874"})
    check_equal(two["value"]["message"], {"prefix": "two", "content": "0x00ff"})
    check_equal((two["value"]["source"]["txId"], two["value"]["source"]["table"]), (None, ""))
    check_equal(row["value"]["after"], {"id": 1})
    check_equal(connector.run(keys), [])


def status_of(record):
    value = record["value"]
    return (value["status"], value["event_count"],
            value["data_collections"] and {one["data_collection"]: one["event_count"] for one in value["data_collections"]})


@test
def transactions_are_told_with_the_order_of_their_records():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY, n int)", "CREATE TABLE u (id int PRIMARY KEY)")
    keys = {"snapshot.mode": "no_data", "provide.transaction.metadata": "true", "skipped.operations": "none"}
    connector.run(keys)
    server.script("BEGIN; INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO u VALUES (1); UPDATE t SET id = 9 WHERE id = 1; "
                  "SELECT pg_logical_emit_message(true, 'm', ''); TRUNCATE u; COMMIT;\n")
    records = connector.run(keys)
    begin, *changes, end = records
    check_equal(status_of(begin), ("BEGIN", None, None))
    check_equal(status_of(end), ("END", 7, {"public.t": 4, "public.u": 2, "message": 1}))
    order = [(r["value"]["op"], r["value"]["transaction"]["total_order"], r["value"]["transaction"]["data_collection_order"])
             for r in changes if r["value"]]
    check_equal(order, [("c", 1, 1), ("c", 2, 2), ("c", 3, 1), ("d", 4, 3), ("c", 5, 4), ("m", 6, 1), ("t", 7, 2)])
    check_equal({r["topic"] for r in (begin, end)}, {"p.transaction"})
    check_equal(begin["value"]["id"].split(":")[0], end["value"]["id"].split(":")[0])
    check_equal(connector.run(keys), [])


@test
def a_restart_within_a_transaction_goes_on_counting():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    keys = {"snapshot.mode": "no_data", "provide.transaction.metadata": "true"}
    connector.run(keys)
    server.script("BEGIN; INSERT INTO t SELECT generate_series(1, 20); UPDATE t SET id = 0 WHERE id = 1; INSERT INTO t VALUES (21); COMMIT;\n")
    first = connector.run(keys, "-k", "24")
    check_equal(status_of(first[-1]), ("END", 23, {"public.t": 23}))
    rest = connector.run(keys)
    check_equal([r["value"]["transaction"]["total_order"] for r in rest[:-1] if r["value"]], [23])
    check_equal(status_of(rest[-1]), ("END", 23, {"public.t": 23}))


@test
def a_changed_key_is_skipped_by_its_halves():
    for skipped, wanted in (("u", "d-c"), ("d", "c"), ("c", "d-"), ("c,d", ""), ("u,c,d", "")):
        connector = Connector("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1)")
        keys = {"skipped.operations": skipped}
        connector.run(keys)
        server.sql("UPDATE t SET id = 2")
        check_equal("".join(r["value"]["op"] if r["value"] else "-" for r in connector.run(keys)), wanted)
        check_equal(connector.run(keys), [])


@test
def an_update_that_changes_nothing_captured_is_skipped_when_wanted():
    connector = Connector("CREATE TABLE t (id int PRIMARY KEY, a int, b int)", "ALTER TABLE t REPLICA IDENTITY FULL", "INSERT INTO t VALUES (1, 1, 1)")
    keys = {"skip.messages.without.change": "true", "column.exclude.list": "public.t.b"}
    connector.run(keys)
    server.sql("UPDATE t SET a = 1", "UPDATE t SET b = 2", "UPDATE t SET a = 2")
    check_equal([r["value"]["after"]["a"] for r in connector.run(keys)], [2])


@test
def names_are_adjusted_for_avro():
    connector = Connector('CREATE TABLE "a-b" ("Id" int PRIMARY KEY, "x y" int, "0" int)', 'INSERT INTO "a-b" VALUES (1, 2, 3)')
    record = connector.run({"schema.name.adjustment.mode": "avro", "field.name.adjustment.mode": "avro"}, "-s")[0]
    check_equal((record["topic"], record["value"]["after"]), ("p.public.a-b", {"Id": 1, "x_y": 2, "_0": 3}))
    if "[p.public.a_b.Envelope]" not in record["schema"]:
        raise AssertionError(record["schema"])


@test
def a_value_that_was_not_sent_is_told_type_by_type():
    big = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)"
    kinds = {"ai": ("int[]", "(SELECT array_agg(i * 7919) FROM generate_series(1, 900) i)"),
             "au": ("uuid[]", "(SELECT array_agg(md5(i::text)::uuid) FROM generate_series(1, 300) i)"),
             "at": ("text[]", f"ARRAY[{big}]"), "hs": ("hstore", f"hstore('a', {big})"), "by": ("bytea", f"decode({big}, 'hex')")}
    connector = Connector("CREATE EXTENSION hstore", f"CREATE TABLE t (id int PRIMARY KEY, n int, {types.columns({k: (v, []) for k, (v, _) in kinds.items()})})",
                          *(f"ALTER TABLE t ALTER COLUMN {name} SET STORAGE EXTERNAL" for name in kinds),
                          f"INSERT INTO t VALUES (1, 1, {', '.join(value for _, value in kinds.values())})")
    keys = {"unavailable.value.placeholder": "none"}
    connector.run(keys)
    server.sql("UPDATE t SET n = 2")
    row = connector.run(keys)[0]["value"]["after"]
    check_equal({name: row[name] for name in kinds},
                {"ai": [110, 111, 110, 101], "au": ["334c4a4c-42fd-379d-bebc-3e73b517e6f8"], "at": ["none"],
                 "hs": '{"none":"none"}', "by": "0x6e6f6e65"})


if __name__ == "__main__":
    if not is_there():
        def postgresql_is_there():
            raise Skip("no PostgreSQL server is installed")

        cases[:] = [postgresql_is_there]
        main([])
    with RunningPostgres("fsync=off") as server:  # Only a machine that fails needs it.
        running_source.begin(RUN, server)
        main(sys.argv[2:])

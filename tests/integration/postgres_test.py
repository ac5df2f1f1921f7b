"""The PostgreSQL source against a real server: snapshot, stream, restarts, and what goes wrong.

The source runs in connectors/postgres/postgres_run.c, which prints its records as JSON.

usage: postgres_test.py POSTGRES_RUN [WORD…]
"""
import hashlib
import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import running_source  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_source import (NO_ROWS, Connector, after, as_texts, check_equal, check_has, fold, key_of,  # noqa: E402
                            ops, read, table, until)
from tap import Skip, cases, main, test  # noqa: E402

RUN = sys.argv[1]
server = None


EVERY_TYPE = {
    "b": ("bool", "true"), "i2": ("int2", "-32768"), "i4": ("int4", "2147483647"),
    "i8": ("int8", "-9223372036854775808"), "o": ("oid", "4294967295"),
    "f4": ("float4", "0.1"), "f8": ("float8", "-2.5e-300"), "n": ("numeric(10,2)", "-12.5"),
    "nv": ("numeric", "123456789012345678901234567890.1234500"), "m": ("money", "'-1234.11'"),
    "t": ("text", "E'tab\\there\\nline \\\\ back ''quote'' é 😀'"), "vc": ("varchar(10)", "'x'"),
    "c": ("char(5)", "'ab'"), "qc": ('"char"', "'z'"), "nm": ("name", "'a_name'"), "ct": ("ci.citext", "'CaSe'"),
    "by": ("bytea", "'\\x00ff5c74'"), "u": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "j": ("json", "'{\"a\":  1.0, \"a\": 2}'"), "jb": ("jsonb", "'{\"b\":  1.0, \"a\": 2}'"),
    "d": ("date", "'0044-03-15 BC'"), "di": ("date", "'infinity'"),
    "tm": ("time", "'04:05:06.789012'"), "tm3": ("time(3)", "'24:00:00'"), "tz": ("timetz", "'04:05:06.7+05:30'"),
    "ts": ("timestamp", "'2016-11-04 13:51:30.123456'"), "ts3": ("timestamp(3)", "'12016-11-04 13:51:30.1'"),
    "tsi": ("timestamp", "'-infinity'"), "tt": ("timestamptz", "'2016-11-04 13:51:30.12+02'"),
    "iv": ("interval", "'-1 mons +1 day -00:00:01.5'"), "e": ("mood", "'ok'"), "dm": ("price", "7.25"),
    "x": ("xml", "'<a>b</a>'"), "ip": ("inet", "'10.0.0.1/8'"), "ci": ("cidr", "'10.0.0.0/8'"),
    "ma": ("macaddr", "'08:00:2b:01:02:03'"), "bt": ("bit(3)", "B'101'"), "bt1": ("bit(1)", "B'1'"),
    "vb": ("varbit", "B'1000000001'"), "r": ("int4range", "'[1,5]'"), "tv": ("tsvector", "'a fat cat'"),
    "ai": ("int4[]", "'{1,NULL,-3}'"), "at": ("text[]", "E'{a,\"b c\",NULL,\"\",\"q\\\\\"x\"}'"),
    "ae": ("mood[]", "'{ok,sad}'"), "an": ("numeric(5,1)[]", "'{1.5}'"), "null": ("int", "NULL"),
    "pair": ("pair", "'(1,2)'"),
}


@test
def every_type_is_the_same_in_snapshot_and_stream():
    columns = ", ".join(f'"{name}" {kind}' for name, (kind, _) in EVERY_TYPE.items())
    values = ", ".join(value for _, value in EVERY_TYPE.values())
    c = Connector("CREATE SCHEMA ci", "CREATE EXTENSION citext SCHEMA ci", "CREATE TYPE mood AS ENUM ('sad', 'ok')",
                  "CREATE DOMAIN price AS numeric(8,2)", "CREATE TYPE pair AS (a int, b int)",
                  f"CREATE TABLE every (id int PRIMARY KEY, {columns})",
                  f"INSERT INTO every VALUES (1, {values})")
    server.sql(f"ALTER DATABASE {c.database} SET datestyle = 'German'",
               f"ALTER DATABASE {c.database} SET timezone = 'Asia/Tokyo'",
               f"ALTER DATABASE {c.database} SET bytea_output = 'escape'",
               f"ALTER DATABASE {c.database} SET intervalstyle = 'iso_8601'")
    snapshot = c.run()[0]["value"]["after"]
    server.sql(f"INSERT INTO every VALUES (2, {values})")
    stream = c.run()[0]["value"]["after"]
    check_equal({**stream, "id": 1}, snapshot)
    check_equal(set(EVERY_TYPE) - set(snapshot), {"pair"})
    wanted = {
        "b": True, "i2": -32768, "i8": -9223372036854775808, "o": 4294967295, "n": "0xfb1e",
        "m": "0xfe1ded", "t": "tab\there\nline \\ back 'quote' é 😀", "c": "ab   ", "ct": "CaSe", "by": "0x00ff5c74",
        "j": '{"a":  1.0, "a": 2}', "jb": '{"a": 2, "b": 1.0}', "d": -735160, "tm": 14706789012, "tm3": 86400000,
        "tz": "22:35:06.7Z", "ts": 1478267490123456, "tsi": -9223372036832400000,
        "tt": "2016-11-04T11:51:30.120000Z", "iv": -2543401500000, "e": "ok", "dm": "0x02d5", "x": "<a>b</a>",
        "bt": "0x05", "bt1": True, "vb": "0x0102", "r": "[1,6)", "ai": [1, None, -3],
        "at": ["a", "b c", None, "", 'q"x'], "ae": ["ok", "sad"], "an": ["0x0f"], "null": None}
    check_equal({name: snapshot[name] for name in wanted}, wanted)


@test
def the_snapshot_marks_first_and_last_rows():
    c = Connector("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (2), (3)",
                  "CREATE TABLE b (id int PRIMARY KEY)", "CREATE TABLE c (id int PRIMARY KEY)",
                  "INSERT INTO c VALUES (1), (2)", "CREATE TABLE d (id int PRIMARY KEY)")
    records = c.run()
    check_equal([(r["topic"], r["value"]["source"]["snapshot"]) for r in records],
                [("p.public.a", "first"), ("p.public.a", "true"),
                 ("p.public.a", "last_in_data_collection"),
                 ("p.public.c", "first_in_data_collection"), ("p.public.c", "last")])
    check_equal(ops(records), "rrrrr")
    check_equal(c.stored()["snapshot_completed"], "1")
    check_equal(c.run(), [])


@test
def snapshot_and_stream_under_writes_equal_the_table():
    c = Connector("CREATE TABLE t (id serial PRIMARY KEY, n int NOT NULL, txt text)",
                  "INSERT INTO t (n, txt) SELECT i, 'row ' || i FROM generate_series(1, 20000) i")
    stop, rounds = threading.Event(), []

    def write():
        round = 0
        while not stop.is_set() and round < 400:
            round += 1
            rounds.append(round)
            server.script(f"""
                INSERT INTO t (n, txt) SELECT {round}, 'new' FROM generate_series(1, 20);
                UPDATE t SET n = n + 1 WHERE id % 97 = {round % 97};
                DELETE FROM t WHERE id % 1009 = {round};
                UPDATE t SET id = -id WHERE id = {round * 3 + 1};""")

    writers = [threading.Thread(target=write) for _ in range(2)]
    process = c.start(None, "-u")
    for writer in writers:
        writer.start()
    until(lambda: len(rounds) >= 40)
    stop.set()
    for writer in writers:
        writer.join()
    records = c.finish(process)
    check_equal(c.status, 0)
    columns = ["id", "n", "txt"]
    check_equal(as_texts(fold(records), columns), table("t", columns))
    changes = [r for r in records if r["value"] and r["value"]["op"] in "cud"]
    if len(changes) < 100:
        raise AssertionError(f"only {len(changes)} changes came with the snapshot")
    rows = [key_of(r) for r in records if r["value"] and r["value"]["op"] == "r"]
    check_equal(len(rows), len(set(rows)))


@test
def a_restart_within_a_transaction_loses_and_doubles_nothing():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run(NO_ROWS)
    server.sql("INSERT INTO t SELECT i FROM generate_series(1, 5000) i",
               "INSERT INTO t SELECT i FROM generate_series(5001, 5010) i")
    keys = {**NO_ROWS, "max.batch.size": "700"}
    first = c.run(keys, "-n", "2100", "-k", "1234")
    check_equal(after(first, "id")[:1234], list(range(1, 1235)))
    check_equal(c.stored()["tx_index"], "1234")
    second = c.run(keys)
    check_equal(after(second, "id"), list(range(1235, 5011)))
    check_equal(c.run(keys), [])


@test
def a_restart_among_changes_that_share_a_position_loses_nothing():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run(NO_ROWS)
    server.script("COPY t FROM stdin;\n" + "".join(f"{i}\n" for i in range(1, 1001)) + "\\.\n")
    first = c.run(NO_ROWS, "-k", "100")
    check_equal(len({r["value"]["source"]["lsn"] for r in first[:100]}) < 100, True)
    check_equal(after(c.run(NO_ROWS), "id"), list(range(101, 1001)))


@test
def changes_that_came_from_another_server_are_captured_too():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "SELECT pg_replication_origin_create('elsewhere')")
    c.run(NO_ROWS)
    server.script("SELECT pg_replication_origin_session_setup('elsewhere');\nBEGIN;\n"
                  "SELECT pg_replication_origin_xact_setup('0/7', '2020-01-01Z');\nINSERT INTO t VALUES (1), (2);\nCOMMIT;\n"
                  "INSERT INTO t VALUES (3);\n")
    server.sql("SELECT pg_replication_origin_drop('elsewhere')")
    records = c.run(NO_ROWS)
    check_equal((ops(records), [r["value"]["after"]["id"] for r in records]), ("ccc", [1, 2, 3]))
    check_equal(len({r["value"]["source"]["txId"] for r in records}), 2)


@test
def interleaved_transactions_come_in_the_order_of_their_commits():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run(NO_ROWS)
    slow = server.session()
    slow.stdin.write("BEGIN; INSERT INTO t VALUES (1);\n")
    slow.stdin.flush()
    until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                             f" AND datname = '{c.database}'") == "1")
    server.sql("INSERT INTO t VALUES (2)")
    try:
        first = c.run(NO_ROWS, "-n", "1")
    finally:
        slow.communicate("INSERT INTO t VALUES (3); COMMIT;\n", timeout=120)
    check_equal(after(first, "id"), [2])
    check_equal(after(c.run(), "id"), [1, 3])


@test
def a_changed_key_is_a_delete_a_tombstone_and_an_insert():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)", "INSERT INTO t VALUES (1, 'a')")
    c.run()
    server.sql("UPDATE t SET id = 2")
    gone, tombstone, new = c.run()
    check_equal((gone["key"], gone["value"]["op"], gone["value"]["before"]["id"]), ({"id": 1}, "d", 1))
    check_equal(gone["headers"], {"__debezium.newkey": {"id": 2}})
    check_equal((tombstone["key"], tombstone["value"]), ({"id": 1}, None))
    check_equal((new["key"], new["value"]["op"]), ({"id": 2}, "c"))
    check_equal(new["value"]["after"], {"id": 2, "txt": "a"})
    check_equal(new["headers"], {"__debezium.oldkey": {"id": 1}})


@test
def a_delete_without_tombstones_is_one_record():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)", "INSERT INTO t VALUES (1, 7)")
    c.run()
    server.sql("DELETE FROM t")
    records = c.run({"tombstones.on.delete": "false"})
    check_equal(ops(records), "d")
    check_equal(records[0]["value"]["before"], {"id": 1, "n": 0})


@test
def an_untouched_large_value_is_the_placeholder_or_the_old_value():
    big = "SELECT string_agg(md5(i::text), '') FROM generate_series(1, 400) i"
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int, big text)",
                  f"INSERT INTO t VALUES (1, 1, ({big}))")
    value = c.run()[0]["value"]["after"]["big"]
    check_equal(len(value), 12800)
    server.sql("UPDATE t SET n = 2", "UPDATE t SET id = 5", "ALTER TABLE t REPLICA IDENTITY FULL",
               "UPDATE t SET n = 3", "DELETE FROM t")
    records = c.run()
    check_equal(ops(records), "ud-cud-")
    check_equal(records[0]["value"]["after"], {"id": 1, "n": 2, "big": "__debezium_unavailable_value"})
    check_equal(records[3]["value"]["after"]["big"], "__debezium_unavailable_value")
    check_equal(records[4]["value"]["before"], {"id": 5, "n": 2, "big": value})
    check_equal(records[4]["value"]["after"], {"id": 5, "n": 3, "big": value})
    check_equal(records[5]["value"]["before"]["big"], value)


@test
def replica_identities_decide_what_is_known_of_the_old_row():
    c = Connector("CREATE TABLE i (id int PRIMARY KEY, code text NOT NULL UNIQUE, n int)",
                  "ALTER TABLE i REPLICA IDENTITY USING INDEX i_code_key",
                  "CREATE TABLE f (a int, b text)", "ALTER TABLE f REPLICA IDENTITY FULL",
                  "CREATE TABLE n (a int)", "ALTER TABLE n REPLICA IDENTITY NOTHING",
                  "INSERT INTO i VALUES (1, 'x', 1)", "INSERT INTO f VALUES (1, 'one'), (1, 'one')")
    c.run()
    server.sql("DELETE FROM i", "UPDATE f SET b = 'two'", "INSERT INTO n VALUES (4)")
    delete, tombstone, one, two, insert = c.run()
    check_equal(delete["key"], {"code": "x"})
    check_equal(delete["value"]["before"], {"id": 0, "code": "x", "n": None})
    check_equal(tombstone["key"], {"code": "x"})
    check_equal(one["key"], None)
    check_equal(one["value"]["before"], {"a": 1, "b": "one"})
    check_equal(two["value"]["after"], {"a": 1, "b": "two"})
    check_equal((insert["key"], insert["value"]["after"]), (None, {"a": 4}))


@test
def a_truncate_gives_a_record_per_table_when_it_is_not_skipped():
    c = Connector("CREATE TABLE a (id int PRIMARY KEY)",
                  "CREATE TABLE b (id int PRIMARY KEY REFERENCES a)", "INSERT INTO a VALUES (1)")
    c.run()
    server.sql("TRUNCATE a CASCADE", "INSERT INTO a VALUES (2)")
    check_equal(ops(c.run()), "c")
    server.sql("TRUNCATE a CASCADE", "INSERT INTO a VALUES (3)")
    records = c.run({"skipped.operations": "none"})
    check_equal(sorted(r["topic"] for r in records), ["p.public.a", "p.public.a", "p.public.b"])
    check_equal(ops(records), "ttc")
    server.sql("TRUNCATE a CASCADE", "INSERT INTO a VALUES (4)")
    check_equal(ops(c.run({"skipped.operations": "c,t"})), "")


@test
def columns_come_and_go_between_transactions_and_within():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, a text, b int)")
    c.run(NO_ROWS)
    server.script("""
        INSERT INTO t VALUES (1, 'x', 1);
        BEGIN;
        ALTER TABLE t ADD COLUMN d numeric(5,1) NOT NULL DEFAULT 1.5;
        INSERT INTO t VALUES (2, 'y', 2);
        COMMIT;
        ALTER TABLE t RENAME COLUMN a TO aa;
        INSERT INTO t VALUES (3, 'z', 3, 2.5);
        ALTER TABLE t DROP COLUMN b, ALTER COLUMN aa TYPE int USING 7;
        INSERT INTO t VALUES (4, 8, 3.5);
        ALTER TABLE t RENAME TO u;
        INSERT INTO u VALUES (5, 9, 4.5);""")
    records = c.run({**NO_ROWS, "decimal.handling.mode": "string"})
    check_equal([r["value"]["after"] for r in records[:4]],
                [{"id": 1, "a": "x", "b": 1}, {"id": 2, "a": "y", "b": 2, "d": "1.5"},
                 {"id": 3, "aa": "z", "b": 3, "d": "2.5"}, {"id": 4, "aa": 8, "d": "3.5"}])
    check_equal(records[4]["topic"], "p.public.u")


@test
def a_row_older_than_its_not_null_keeps_its_null():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int)")
    c.run(NO_ROWS)
    server.sql("INSERT INTO t VALUES (1, NULL)", "UPDATE t SET n = 5",
               "ALTER TABLE t ALTER COLUMN n SET NOT NULL", "INSERT INTO t VALUES (2, 6)")
    check_equal(after(c.run(NO_ROWS), "n"), [None, 5, 6])


@test
def partitions_come_as_their_root_and_leaves_when_wanted():
    statements = ("CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)",
                  "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
                  "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)",
                  "INSERT INTO t VALUES (1, 1), (11, 1)")
    c = Connector(*statements)
    check_equal([r["topic"] for r in c.run()], ["p.public.t", "p.public.t"])
    server.sql("UPDATE t SET id = 12 WHERE id = 1")
    records = c.run()
    check_equal({r["topic"] for r in records}, {"p.public.t"})
    check_equal(fold(records), {'{"id": 12}': {"id": 12, "n": 1}})
    c = Connector(*statements)
    keys = {"publish.via.partition.root": "false"}
    check_equal([r["topic"] for r in c.run(keys)], ["p.public.t1", "p.public.t2"])


@test
def inheritance_children_are_tables_of_their_own():
    c = Connector("CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE q (PRIMARY KEY (id)) INHERITS (p)",
                  "INSERT INTO p VALUES (1)", "INSERT INTO q VALUES (2)")
    check_equal([(r["topic"], r["key"]["id"]) for r in c.run()],
                [("p.public.p", 1), ("p.public.q", 2)])


@test
def filters_choose_tables_columns_and_keys():
    c = Connector("CREATE SCHEMA s", "CREATE TABLE s.a (id int PRIMARY KEY, x int, secret text)",
                  "CREATE TABLE s.b (id int PRIMARY KEY)", "CREATE TABLE public.a (id int PRIMARY KEY)",
                  "INSERT INTO s.a VALUES (1, 2, 'no')", "INSERT INTO s.b VALUES (1)",
                  "INSERT INTO public.a VALUES (1)", 'CREATE TABLE s."Odd "".Name" (id int PRIMARY KEY)',
                  'INSERT INTO s."Odd "".Name" VALUES (3)')
    keys = {"table.include.list": "S\\.a, s.Odd.*", "column.exclude.list": "s.a.secret",
            "message.key.columns": "s.a:x,id"}
    records = c.run(keys)
    check_equal(sorted(r["topic"] for r in records), ["p.s.Odd__.Name", "p.s.a"])
    mine = [r for r in records if r["topic"] == "p.s.a"][0]
    check_equal((mine["key"], mine["value"]["after"]), ({"x": 2, "id": 1}, {"id": 1, "x": 2}))
    server.sql("INSERT INTO s.b VALUES (2)", "INSERT INTO s.a VALUES (2, 3, 'no')",
               'INSERT INTO s."Odd "".Name" VALUES (4)')
    check_equal(sorted(r["topic"] for r in c.run(keys)), ["p.s.Odd__.Name", "p.s.a"])


@test
def masked_values_are_hidden_in_rows_and_the_key_is_not():
    c = Connector("CREATE TABLE t (k varchar(20) PRIMARY KEY, v5 varchar(5), tx text, n int, j json, nn text NOT NULL)",
                  "INSERT INTO t VALUES ('key', 'abcde', 'long text', 7, '1', 'x'), ('no', NULL, NULL, NULL, NULL, 'y')")
    keys = {"column.mask.with.3.chars": "public.t.tx,.*\\.j", "column.mask.hash.v2.SHA-256.with.salt.s.alt": "public.t.(v5|k)",
            "column.truncate.to.1.chars": "public.t.nn"}

    def hidden(text, length):
        return hashlib.sha256(b"s.alt" + text.encode()).hexdigest()[:length]

    rows = [({"k": "key"}, {"k": hidden("key", 20), "v5": hidden("abcde", 5), "tx": "***", "n": 7, "j": "1", "nn": "x"}),
            ({"k": "no"}, {"k": hidden("no", 20), "v5": None, "tx": "***", "n": None, "j": None, "nn": "y"})]
    records = c.run(keys)
    check_equal([(r["key"], r["value"]["after"]) for r in records], rows)
    check_has(c.log, "columns of table 'public.t' are not masked, because they are of other types than text, varchar, char, name and enums: 'j';")
    server.sql("UPDATE t SET nn = 'zzz' WHERE k = 'key'", "UPDATE t SET k = 'new' WHERE k = 'no'")
    updated, *changed = c.run(keys)
    check_equal(updated["value"]["after"], {**rows[0][1], "nn": "z"})
    check_equal([(ops([r]), r["key"]["k"]) for r in changed], [("d", "no"), ("-", "no"), ("c", "new")])
    check_equal(changed[0]["value"]["before"]["tx"], "***")


@test
def a_server_that_restarts_is_found_again_and_nothing_is_lost():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    process = c.start(None, "-n", "4", "-i", "120000")
    until(lambda: server.sql(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{c.slot}'") == "t")
    server.sql("INSERT INTO t VALUES (2)")
    server.stop("immediate")
    server.again()
    server.sql("INSERT INTO t VALUES (3), (4)")
    records = c.finish(process)
    check_equal((c.status, c.log if c.status else ""), (0, ""))
    check_equal(after(records, "id"), [1, 2, 3, 4])
    check_has(c.log, "RETRY")


@test
def a_stream_that_breaks_within_a_transaction_goes_on_and_lets_nothing_be_forgotten():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)")
    c.run(NO_ROWS)
    server.sql("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 50000) i")
    keys = {**NO_ROWS, "max.batch.size": "10", "status.update.interval.ms": "100"}
    process = c.start(keys, "-n", "50000", "-k", "0")
    head = [read(process.stdout.readline()) for _ in range(20)]
    server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
               f"WHERE slot_name = '{c.slot}'")
    records = head + c.finish(process)
    check_has(c.log, "RETRY")
    check_equal(after(records, "id"), list(range(1, 50001)))
    check_equal(len(c.run(NO_ROWS, "-n", "50000")), 50000)


@test
def publications_with_columns_and_rows_of_choice_limit_the_snapshot_too():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, a int, b int, g int GENERATED ALWAYS AS (a + 1) STORED)",
                  "INSERT INTO t VALUES (1, 1, 1), (2, 20, 2)",
                  "CREATE TABLE g (id int PRIMARY KEY, n int GENERATED ALWAYS AS (id * 2) STORED)",
                  "INSERT INTO g VALUES (1)",
                  "CREATE PUBLICATION chosen FOR TABLE t (id, a) WHERE (id > 1), g WITH (publish = 'insert')")
    keys = {"publication.name": "chosen", "publication.autocreate.mode": "disabled"}
    rows = [(r["topic"], r["value"]["after"]) for r in c.run(keys)]
    check_equal(rows, [("p.public.g", {"id": 1}), ("p.public.t", {"id": 2, "a": 20})])
    server.sql("INSERT INTO t VALUES (0, 0, 0), (3, 30, 3)", "INSERT INTO g VALUES (2)")
    rows = [(r["topic"], r["value"]["after"]) for r in c.run(keys)]
    check_equal(rows, [("p.public.t", {"id": 3, "a": 30}), ("p.public.g", {"id": 2})])


@test
def a_password_and_tls_are_used_where_the_server_asks():
    with RunningPostgres("fsync=off", "password_encryption=scram-sha-256") as secured:
        data = os.path.join(secured.folder, "data")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{data}/server.key",
                        "-out", f"{data}/server.crt"], check=True, capture_output=True)
        owner = os.stat(data)
        for name in ("server.key", "server.crt"):
            os.chown(f"{data}/{name}", owner.st_uid, owner.st_gid)
            os.chmod(f"{data}/{name}", 0o600)
        secured.sql("CREATE ROLE reader LOGIN REPLICATION SUPERUSER PASSWORD 'it''s secret'",
                    "CREATE TABLE t (id int PRIMARY KEY, txt text)",
                    "INSERT INTO t SELECT i, repeat('é', 3000) FROM generate_series(1, 300) i",
                    "ALTER SYSTEM SET ssl = on")
        with open(f"{data}/pg_hba.conf", "w") as file:
            file.write("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
                       "hostssl replication all 127.0.0.1/32 scram-sha-256\n")
        secured.stop()
        secured.again()
        copy = os.path.join(secured.parent, "root.crt")
        shutil.copy(f"{data}/server.crt", copy)

        def run(password, *options):
            done = subprocess.run(
                [RUN, "-o", os.path.join(secured.parent, "offsets"), *options,
                 "database.hostname=127.0.0.1", f"database.port={secured.port}", "database.user=reader",
                 f"database.password={password}", "database.dbname=postgres", "topic.prefix=p",
                 "database.sslmode=verify-full", f"database.sslrootcert={copy}"],
                capture_output=True, text=True, timeout=240)
            return done.returncode, done.stdout.splitlines(), done.stderr

        status, _, log = run("wrong")
        check_equal(status, 1)
        check_has(log, "BAD_CONFIG cannot connect to '127.0.0.1:")
        check_has(log, 'password authentication failed for user "reader"')
        status, lines, log = run("it's secret")
        check_equal((status, len(lines)), (0, 300))
        secured.sql("UPDATE t SET txt = repeat('ü', 100000) WHERE id <= 50",
                    "INSERT INTO t SELECT i, 'y' FROM generate_series(1001, 3000) i")
        status, lines, log = run("it's secret", "-n", "2050")
        check_equal((status, len(lines)), (0, 2050))


@test
def a_snapshot_that_is_broken_off_is_taken_again_with_what_was_deleted():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)",
                  "INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 30000) i")
    process = c.start({"max.batch.size": "100"}, "-i", "0")
    seen = [read(process.stdout.readline()) for _ in range(500)]
    process.kill()
    process.wait()
    server.sql("DELETE FROM t WHERE id <= 100", "INSERT INTO t VALUES (50, 'again')")
    records = c.run()
    check_has(c.log, "changes since it began are delivered first")
    state = fold(records, fold(seen))
    check_equal(as_texts(state, ["id", "txt"]), table("t", ["id", "txt"]))
    last = [r["value"]["source"]["snapshot"] for r in records if r["value"]][-1]
    check_equal(last, "last")
    check_equal(c.run(), [])


@test
def a_snapshot_whose_connection_breaks_begins_again():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)",
                  "INSERT INTO t SELECT i, repeat('x', 2000) FROM generate_series(1, 40000) i")
    process = c.start({"max.batch.size": "100"})
    head = [read(process.stdout.readline()) for _ in range(10)]
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'"
               f" AND datname = '{c.database}' AND pid <> pg_backend_pid()")
    records = head + c.finish(process)
    check_equal(c.status, 0)
    check_has(c.log, "the snapshot was broken off; it begins again")
    check_equal(len(fold(records)), 40000)


@test
def a_snapshot_whose_exporter_is_lost_before_it_is_imported_begins_again():
    c = Connector("CREATE TABLE killed (n int)", "CREATE TABLE t (id int PRIMARY KEY)",
                  "INSERT INTO t VALUES (1), (2)")
    # The snapshot's connection runs it when the slot is there; it kills once.
    kill = ("WITH k AS (SELECT pg_terminate_backend(pid, 20000) AS gone FROM pg_stat_activity WHERE "
            "application_name = 'Sluice Streaming' AND NOT EXISTS (SELECT FROM killed)) "
            "INSERT INTO killed SELECT 1 FROM k WHERE gone")
    records = c.run({"table.include.list": "public.t", "database.initial.statements": kill})
    check_equal(server.sql("SELECT count(*) FROM killed"), "1")
    check_has(c.log, "the connection that exported the snapshot was lost")
    check_equal(after(records, "id"), [1, 2])


@test
def tables_that_wait_for_the_snapshot_cannot_be_rewritten_under_it():
    c = Connector("CREATE TABLE a (id int PRIMARY KEY, txt text)",
                  "INSERT INTO a SELECT i, repeat('x', 500) FROM generate_series(1, 30000) i",
                  *(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)" for name in "bc"),
                  *(f"INSERT INTO {name} VALUES (1, 1), (2, 2)" for name in "bc"))
    process = c.start({"max.batch.size": "100"})
    head = [read(process.stdout.readline()) for _ in range(10)]
    others = []
    for statement in ("ALTER TABLE b ALTER n TYPE bigint", "TRUNCATE c", "ALTER TABLE a DROP txt"):
        others.append(server.session())
        others[-1].stdin.write(f"{statement};\n")
        others[-1].stdin.close()
    until(lambda: sum(other.poll() is not None for other in others) + int(server.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) == 3)
    records = head + c.finish(process)
    check_equal([other.wait() for other in others], [0, 0, 0])
    check_equal(c.status, 0)
    rows = [(r["topic"], r["value"]["after"]["id"]) for r in records if r["value"]["op"] == "r"]
    check_equal([row for row in rows if row[0] != "p.public.a"],
                [(f"p.public.{name}", i) for name in "bc" for i in (1, 2)])
    check_equal(len(rows), 30004)


@test
def a_key_so_long_that_it_was_moved_out_of_the_row_is_known_in_every_change():
    c = Connector("CREATE TABLE t (id text PRIMARY KEY, n int, more text)",
                  "ALTER TABLE t ALTER id SET STORAGE EXTERNAL, ALTER more SET STORAGE EXTERNAL")
    c.run(NO_ROWS)
    long, other = "k" * 2500, "o" * 2500
    server.sql(f"INSERT INTO t VALUES ('{long}', 1, '{'m' * 5000}')", "UPDATE t SET n = 2",
               f"UPDATE t SET id = '{other}', more = 'x'", "UPDATE t SET n = 3", "DELETE FROM t")
    records = c.run(NO_ROWS)
    check_equal(ops(records), "cud-cud-")
    check_equal([r["key"]["id"][0] + str(len(r["key"]["id"])) for r in records],
                ["k2500"] * 4 + ["o2500"] * 4)
    check_equal(after(records, "id"), [long, long, other, other])


@test
def the_key_of_a_change_is_that_of_its_time():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)",
                  "CREATE TABLE u (id int PRIMARY KEY, n int NOT NULL)")
    c.run(NO_ROWS)
    server.sql("INSERT INTO t VALUES (1, 5)", "UPDATE t SET id = 2", "DELETE FROM t",
               "ALTER TABLE t RENAME id TO ident", "INSERT INTO t VALUES (3, 6)",
               "INSERT INTO u VALUES (1, 5)", "UPDATE u SET n = 6",
               "ALTER TABLE u DROP CONSTRAINT u_pkey, ADD PRIMARY KEY (n)", "DELETE FROM u")
    records = c.run(NO_ROWS)
    check_equal(ops(records), "cd-cd-ccud-")
    check_equal([r["key"] for r in records],
                [{"id": 1}] * 3 + [{"id": 2}] * 3 + [{"ident": 3}] + [{"id": 1}] * 2 + [{"n": 6}] * 2)


@test
def an_idle_slot_does_not_hold_the_log():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)",
                  "CREATE UNLOGGED TABLE u (n int)", "CREATE TABLE other (n int)")
    keys = {"table.include.list": "public.t", "status.update.interval.ms": "100"}
    process = c.start(keys, "-i", "0")

    def confirmed():
        return server.sql(f"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{c.slot}'")

    try:
        until(lambda: confirmed() != "")
        server.sql("INSERT INTO other SELECT generate_series(1, 10000)")
        end = server.sql("SELECT pg_current_wal_lsn()")
        until(lambda: server.sql(f"SELECT '{confirmed()}'::pg_lsn >= '{end}'::pg_lsn") == "t")
    finally:
        process.kill()
        process.wait()


@test
def a_slot_that_is_gone_is_told_and_when_needed_repaired():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    c.run()
    server.sql(f"SELECT pg_drop_replication_slot('{c.slot}')", "INSERT INTO t VALUES (2)")
    check_has(c.fault(), f"BAD_CONFIG slot '{c.slot}' does not exist any more")
    check_equal(ops(c.run({"snapshot.mode": "when_needed"})), "rr")


@test
def initial_only_ends_without_a_slot():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    keys = {"snapshot.mode": "initial_only"}
    check_equal(ops(c.run(keys)), "r")
    check_equal(server.sql(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{c.slot}'"), "0")
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(c.run(keys), [])


@test
def always_reads_the_tables_again():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    keys = {"snapshot.mode": "always"}
    check_equal(ops(c.run(keys)), "r")
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(ops(c.run(keys)), "crr")


@test
def a_slot_is_dropped_at_the_end_when_wanted():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    c.run({"slot.drop.on.stop": "true"})
    check_equal(server.sql(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{c.slot}'"), "0")


@test
def heartbeats_carry_the_position():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE beats (n int)")
    records = c.run({"heartbeat.interval.ms": "100", "snapshot.mode": "no_data",
                     "table.include.list": "public.t",
                     "heartbeat.action.query": "INSERT INTO beats VALUES (1)"}, "-n", "3", "-i", "120000")
    check_equal({r["topic"] for r in records}, {"__debezium-heartbeat.p"})
    check_equal(records[0]["key"], {"serverName": "p"})
    check_equal(list(records[0]["value"]), ["ts_ms"])
    check_equal(int(server.sql("SELECT count(*) FROM beats")) >= 3, True)


@test
def faults_say_what_to_do():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    check_has(c.fault({"plugin.name": "decoderbufs"}), "only pgoutput is supported")
    check_has(c.fault({"slot.name": "No-Slot"}), "1 to 63 lower-case letters")
    check_has(c.fault({"publication.autocreate.mode": "disabled", "publication.name": "nope"}),
              "publication 'nope' does not exist")
    check_has(c.fault({"database.dbname": "nowhere"}), 'database "nowhere" does not exist')
    check_has(c.fault({"table.include.list": "a(?=b)"}), "groups that begin with '(?'")
    check_has(c.fault({"column.mask.with.five.chars": "public.t.a"}), "'column.mask.with.five.chars' has none of the forms")
    check_has(c.fault({"column.mask.hash.SHA-257.with.salt.x": "public.t.a"}), "'SHA-257' is no hash algorithm")
    server.sql("CREATE ROLE weak LOGIN")
    check_has(c.fault({"database.user": "weak", "snapshot.mode": "no_data",
                       "publication.autocreate.mode": "disabled", "publication.name": "dbz_publication"}),
              "BAD_CONFIG")
    server.sql(f"SELECT pg_create_logical_replication_slot('{c.slot}', 'test_decoding')")
    check_has(c.fault(), f"slot '{c.slot}' is for plugin 'test_decoding'")


@test
def wal_level_replica_is_refused_with_the_remedy():
    with RunningPostgres("wal_level=replica") as plain:
        command = [RUN, f"database.hostname={plain.folder}", f"database.port={plain.port}",
                   "database.user=postgres", "database.dbname=postgres", "topic.prefix=p"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        check_has(done.stderr, "wal_level of")
        check_has(done.stderr, "run ALTER SYSTEM SET wal_level = logical, and restart the server")


if __name__ == "__main__":
    if not is_there():
        def postgresql_is_there():
            raise Skip("no PostgreSQL server is installed")

        cases[:] = [postgresql_is_there]
        main([])
    with RunningPostgres("fsync=off") as server:  # Only a machine that fails needs it.
        running_source.begin(RUN, server)
        main(sys.argv[2:])

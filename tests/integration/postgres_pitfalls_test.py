"""The PostgreSQL source where others have lost rows, shown wrong ones, or stopped: each case is what somebody saw.

Those of restarts, slots and types are in the tests beside this one.

usage: postgres_pitfalls_test.py POSTGRES_RUN [WORD…]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import running_source  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_source import NO_ROWS, Connector, after, check_equal, check_has, ops, until  # noqa: E402
from tap import Skip, cases, main, test  # noqa: E402

RUN = sys.argv[1]
server = None


def begun(statement):
    """A session whose transaction has done this and stays open."""
    session = server.talk()
    session.stdin.write(f"BEGIN; {statement};\n\\echo begun\n")
    check_equal(session.stdout.readline().strip(), "begun")
    return session


def end(session):
    session.stdin.close()
    session.stdout.close()
    session.wait()


@test
def a_label_that_an_enum_got_later_does_not_stop_the_stream():
    c = Connector("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE TABLE t (id int PRIMARY KEY, e mood, a mood[])",
                  "INSERT INTO t VALUES (1, 'ok', '{sad}')")
    check_equal(after(c.run(), "e"), ["ok"])
    server.sql("ALTER TYPE mood ADD VALUE 'great' AFTER 'sad'", "INSERT INTO t VALUES (2, 'great', '{great,ok}')")
    server.sql("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "INSERT INTO t VALUES (3, 'fine', '{fine}')")
    records = c.run()
    check_equal((after(records, "e"), after(records, "a")), (["great", "fine"], [["great", "ok"], ["fine"]]))


@test
def replica_identity_full_does_not_make_every_column_the_key():
    c = Connector("CREATE TABLE t (b text, a int, n int, PRIMARY KEY (a, b))", "ALTER TABLE t REPLICA IDENTITY FULL",
                  "INSERT INTO t VALUES ('x', 1, 7)")
    read = c.run()
    server.sql("UPDATE t SET n = 8", "DELETE FROM t")
    records = read + c.run()
    check_equal((ops(records), [r["key"] for r in records]), ("rud-", [{"a": 1, "b": "x"}] * 4))


@test
def tables_and_columns_whose_names_differ_only_in_case_are_not_mixed_up():
    c = Connector('CREATE TABLE t (id int PRIMARY KEY, a text, "A" text)', 'CREATE TABLE "T" ("ID" int PRIMARY KEY, a text)',
                  "INSERT INTO t VALUES (1, 'small', 'large')", 'INSERT INTO "T" VALUES (2, \'other\')')
    records = c.run()
    server.sql('INSERT INTO "T" VALUES (3, \'other\')', 'UPDATE t SET "A" = \'larger\'')
    seen = sorted((r["topic"], r["value"]["op"], str(r["value"]["after"])) for r in records + c.run())
    check_equal(seen, [("p.public.T", "c", "{'ID': 3, 'a': 'other'}"), ("p.public.T", "r", "{'ID': 2, 'a': 'other'}"),
                       ("p.public.t", "r", "{'id': 1, 'a': 'small', 'A': 'large'}"),
                       ("p.public.t", "u", "{'id': 1, 'a': 'small', 'A': 'larger'}")])


@test
def a_table_that_joins_the_publication_is_streamed_from_then_on():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE late (id int PRIMARY KEY)", "CREATE PUBLICATION mine FOR TABLE t")
    keys = {**NO_ROWS, "publication.name": "mine", "publication.autocreate.mode": "disabled"}
    c.run(keys)
    server.sql("INSERT INTO late VALUES (1)", "ALTER PUBLICATION mine ADD TABLE late", "INSERT INTO late VALUES (2)", "INSERT INTO t VALUES (3)")
    check_equal([(r["topic"], r["value"]["after"]["id"]) for r in c.run(keys)], [("p.public.late", 2), ("p.public.t", 3)])
    server.sql("ALTER PUBLICATION mine DROP TABLE t", "INSERT INTO t VALUES (4)", "INSERT INTO late VALUES (5)")
    check_equal([(r["topic"], r["value"]["after"]["id"]) for r in c.run(keys)], [("p.public.late", 5)])


@test
def a_partition_that_is_attached_later_comes_through_its_root():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)", "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
                  "INSERT INTO t VALUES (1, 1)")
    c.run()
    server.sql("CREATE TABLE t2 (n int, dropped int, id int NOT NULL PRIMARY KEY)", "ALTER TABLE t2 DROP COLUMN dropped",
               "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)", "INSERT INTO t VALUES (11, 2)", "UPDATE t SET id = 12 WHERE id = 1")
    records = c.run()
    check_equal({r["topic"] for r in records}, {"p.public.t"})
    check_equal([r["value"] and (r["value"]["before"], r["value"]["after"]) for r in records],
                [(None, {"id": 11, "n": 2}), ({"id": 1, "n": None}, None), None, (None, {"id": 12, "n": 1})])


@test
def tables_whose_updates_the_publication_makes_fail_are_named():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE keyless (a int)", "INSERT INTO keyless VALUES (1)")
    c.run()
    check_has(c.log, "these tables have no replica identity, so that UPDATE and DELETE of them now fail: \"public\".\"keyless\"")
    server.sql("ALTER TABLE keyless REPLICA IDENTITY FULL", "UPDATE keyless SET a = 2")
    check_equal(after(c.run(), "a"), [2])


@test
def a_transaction_that_stays_open_holds_the_log_and_not_the_position():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE other (id int)")
    c.run(NO_ROWS)
    holder = begun("INSERT INTO other VALUES (1)")
    try:
        server.sql("INSERT INTO t VALUES (1)")
        head = server.sql("SELECT pg_current_wal_lsn()")
        check_equal(after(c.run(NO_ROWS), "id"), [1])
        slot = f"SELECT %s FROM pg_replication_slots WHERE slot_name = '{c.slot}'"
        check_equal(server.sql(slot % f"restart_lsn < '{head}'"), "t")
        server.sql("INSERT INTO t VALUES (2)")
        check_equal(after(c.run(NO_ROWS), "id"), [2])
        until(lambda: server.sql(slot % f"confirmed_flush_lsn >= '{head}'") == "t")
    finally:
        end(holder)


@test
def a_start_that_was_killed_while_it_waited_leaves_no_walsender_for_ever():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    holder = begun("INSERT INTO t VALUES (1)")
    try:
        process = c.start({"create.slot.command.timeout": "1000"}, "-i", "0")
        until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'") == "1")
        process.kill()
        process.wait()
        until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'") == "0")
    finally:
        end(holder)


@test
def a_database_of_another_encoding_gives_texts_in_utf8():
    c = Connector()
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    c.database = server.database = "latin"
    server.sql("SET client_encoding = 'UTF8'", "CREATE TABLE t (id int PRIMARY KEY, \"é\" text)", "INSERT INTO t VALUES (1, 'ä')")
    check_equal(c.run()[0]["value"]["after"], {"id": 1, "é": "ä"})
    server.sql("SET client_encoding = 'UTF8'", "INSERT INTO t VALUES (2, 'ÿ')")
    check_equal(c.run()[0]["value"]["after"], {"id": 2, "é": "ÿ"})


@test
def bytes_that_are_no_text_are_told_and_not_written():
    c = Connector()
    server.sql("CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    c.database = server.database = "raw"
    server.sql("CREATE TABLE t (id int PRIMARY KEY, a text)", "INSERT INTO t VALUES (1, 'plain')")
    check_equal(after(c.run(), "a"), ["plain"])
    server.sql("INSERT INTO t VALUES (2, convert_from('\\xe9', 'SQL_ASCII'))")
    check_has(c.fault(), "the database has bytes that are no text in its encoding: mend the row, or leave the table out")


@test
def numbers_of_transactions_that_begin_anew_lose_nothing():
    """Pitfall 40."""
    with RunningPostgres("fsync=off") as old:
        old.sql("VACUUM FREEZE")
        old.stop()
        old.call("age")
        old.again()
        running_source.begin(RUN, old)
        try:
            c = Connector("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (0, 0)")
            keys = {"provide.transaction.metadata": "true"}
            records = c.run(keys)
            for first in (1, 101, 201):  # The first before, one around, the last behind that number.
                old.script("".join(f"INSERT INTO t VALUES ({i}, {i});\n" for i in range(first, first + 100)))
                records += c.run(keys)
            check_equal(c.run(keys), [])
            check_equal(old.sql("SELECT txid_current() > 4294967296"), "t")
        finally:
            running_source.begin(RUN, server)
    rows = [r for r in records if r["topic"] == "p.public.t"]
    check_equal((ops(rows), after(rows, "id")), ("r" + "c" * 300, list(range(301))))
    numbers = [r["value"]["source"]["txId"] for r in rows[1:]]
    wraps = [i for i in range(1, 300) if numbers[i] < numbers[i - 1]]
    check_equal((len(wraps), numbers[0] > 4294967000, 3 <= numbers[-1] < 1000), (1, True, True))
    ends = [r["value"] for r in records if r["topic"] == "p.transaction" and r["value"]["status"] == "END"]
    check_equal(({e["event_count"] for e in ends}, len({e["id"] for e in ends})), ({1}, 300))


if __name__ == "__main__":
    if not is_there():
        def postgresql_is_there():
            raise Skip("no PostgreSQL server is installed")

        cases[:] = [postgresql_is_there]
        main([])
    with RunningPostgres("fsync=off") as server:  # Only a machine that fails needs it.
        running_source.begin(RUN, server)
        main(sys.argv[2:])

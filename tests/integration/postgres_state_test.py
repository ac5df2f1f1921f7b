"""Where the PostgreSQL source is: snapshot modes, stored positions, slots, publications, servers that
changed, rights that are missing, and the sentence that each of them gets.

usage: postgres_state_test.py POSTGRES_RUN [WORD…]
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import running_source  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_source import (NO_ROWS, Connector, after, check_equal, check_has, fold, ops, read,  # noqa: E402
                            until)
from tap import Skip, cases, main, test  # noqa: E402

RUN = sys.argv[1]
server = None
TABLE = ("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
NEEDED = {"snapshot.mode": "when_needed"}


def slot_of(c, column):
    return server.sql(f"SELECT {column} FROM pg_replication_slots WHERE slot_name = '{c.slot}'")


def drop_slot(c):
    until(lambda: slot_of(c, "active") == "f")
    server.sql(f"SELECT pg_drop_replication_slot('{c.slot}')")


def create_slot(c):
    server.sql(f"SELECT pg_create_logical_replication_slot('{c.slot}', 'pgoutput')")


# --- Snapshot modes. ---

@test
def a_mode_of_parts_does_what_its_parts_say():
    c = Connector(*TABLE)
    base = "snapshot.mode.configuration.based."
    parts = {"snapshot.mode": "configuration_based", base + "start.stream": "true"}
    check_equal(c.run(parts), [])
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(ops(c.run(parts)), "c")
    check_equal(ops(c.run({**parts, base + "snapshot.data": "true"})), "rr")
    drop_slot(c)
    check_has(c.fault(parts), f"BAD_CONFIG slot '{c.slot}' does not exist any more")
    check_equal(ops(c.run({**parts, base + "snapshot.on.data.error": "true"})), "rr")
    check_equal(ops(c.run({"snapshot.mode": "configuration_based", base + "snapshot.data": "true"})), "rr")


@test
def never_is_the_old_name_of_no_data():
    c = Connector(*TABLE)
    check_equal(c.run({"snapshot.mode": "never"}), [])
    check_has(c.log, "snapshot.mode=never is the old name of no_data")
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(after(c.run({"snapshot.mode": "never"}), "id"), [2])


@test
def a_table_is_read_with_a_statement_of_ones_own():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
                  "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)")
    key = "snapshot.select.statement.overrides"
    check_has(c.fault({key: "public.t"}), f"'{key}' lists 'public.t', and '{key}.public.t' is not set")
    records = c.run({key: "public.t", key + ".public.t": "SELECT upper(txt) AS txt, id FROM t WHERE id > 1 ;"})
    check_equal([(r["topic"], r["value"]["after"]) for r in records],
                [("p.public.t", {"id": 2, "txt": "B"}), ("p.public.u", {"id": 1})])
    server.sql("INSERT INTO t VALUES (0, 'c')")
    check_equal(after(c.run(), "txt"), ["c"])
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)")
    said = c.fault({key: "public.t", key + ".public.t": "SELECT id FROM t"})
    check_has(said, "snapshot of table 'public.t'")
    check_has(said, 'column "txt" does not exist')


@test
def tables_are_read_in_the_order_of_their_sizes_when_wanted():
    for mode, wanted in (("ascending", "bac"), ("descending", "cab")):
        c = Connector(*(f"CREATE TABLE {name} (id int PRIMARY KEY)" for name in "abc"),
                      "INSERT INTO a SELECT generate_series(1, 300)", "INSERT INTO b VALUES (1)",
                      "INSERT INTO c SELECT generate_series(1, 5000)", "ANALYZE")
        records = c.run({"snapshot.mode": "initial_only", "snapshot.tables.order.by.row.count": mode})
        check_equal("".join(dict.fromkeys(r["topic"][-1] for r in records)), wanted)


@test
def a_snapshot_of_nothing_is_not_taken_again():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    check_equal(c.run(), [])
    check_has(c.log, "snapshot ends rows=0")
    server.sql("INSERT INTO t VALUES (1)")
    check_equal(ops(c.run()), "c")
    check_equal("snapshot begins" in c.log, False)


@test
def always_does_not_read_again_after_a_lost_connection():
    c = Connector(*TABLE)
    process = c.start({"snapshot.mode": "always"}, "-n", "2", "-i", "0")
    check_equal(read(process.stdout.readline())["value"]["op"], "r")
    until(lambda: slot_of(c, "active") == "t")
    server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
               f"WHERE slot_name = '{c.slot}'")
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(ops(c.finish(process)), "c")


# --- Positions and slots. ---

@test
def a_connection_lost_behind_a_snapshot_does_not_read_again():
    c = Connector(*TABLE)
    holder = server.talk()  # While it holds the lock, the snapshot cannot go on.
    holder.stdin.write("SELECT pg_advisory_lock(1);\n\\echo locked\n")
    until(lambda: holder.stdout.readline().strip() == "locked")
    process = c.start({"snapshot.select.statement.overrides": "public.t",
                       "snapshot.select.statement.overrides.public.t":
                       "SELECT * FROM t WHERE pg_advisory_lock_shared(1) IS NOT NULL"}, "-n", "2", "-i", "0")
    until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'",
               "INSERT INTO t VALUES (2)")
    holder.stdin.close()
    holder.wait()
    holder.stdout.close()
    got = [(r["value"]["op"], r["value"]["after"]["id"]) for r in c.finish(process)]
    check_equal((got, c.log.count("snapshot begins")), ([("r", 1), ("c", 2)], 1))


@test
def a_slot_that_was_created_anew_is_seen():
    c = Connector(*TABLE)
    c.run()
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(after(c.run(), "id"), [2])
    drop_slot(c)
    server.sql("INSERT INTO t VALUES (3)")
    create_slot(c)
    said = c.fault()
    check_has(said, f"BAD_CONFIG slot '{c.slot}' stands at ")
    check_has(said, "it was created anew or moved, and changes in between are lost: set snapshot.mode=when_needed")
    check_has(c.fault({"offset.mismatch.strategy": "trust_offset"}), "it was created anew or moved")
    server.sql("INSERT INTO t VALUES (4)")
    records = c.run(NEEDED)
    check_equal(ops(records), "crrrr")
    server.sql("INSERT INTO t VALUES (5)")
    check_equal(after(c.run(), "id"), [5])


@test
def a_slot_created_anew_is_trusted_when_wanted():
    c = Connector(*TABLE)
    c.run()
    drop_slot(c)
    server.sql("INSERT INTO t VALUES (2)")
    create_slot(c)
    server.sql("INSERT INTO t VALUES (3)")
    check_equal(after(c.run({"offset.mismatch.strategy": "trust_slot"}), "id"), [3])
    check_has(c.log, "changes in between, if there were any, are not delivered")
    check_equal(c.run(), [])


@test
def a_slot_created_anew_while_the_connection_was_lost_is_seen():
    c = Connector(*TABLE)
    process = c.start(None, "-i", "0")
    check_equal(read(process.stdout.readline())["value"]["op"], "r")
    until(lambda: slot_of(c, "active") == "t")
    server.script(f"""
        DO $$ BEGIN LOOP
            PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{c.slot}' AND active;
            BEGIN
                PERFORM pg_drop_replication_slot('{c.slot}');
                EXIT;
            EXCEPTION WHEN object_in_use THEN NULL;
            END;
        END LOOP; END $$;
        INSERT INTO t VALUES (2);
        SELECT pg_create_logical_replication_slot('{c.slot}', 'pgoutput');""")
    c.finish(process)
    check_equal(c.status, 1)
    if "does not exist any more" not in c.log:  # It may come back before the new slot is there.
        check_has(c.log, "it was created anew or moved, and changes in between are lost")


@test
def an_idle_slot_moves_only_to_what_is_stored():
    c = Connector(*TABLE, "CREATE TABLE other (n int)")
    keys = {"table.include.list": "public.t", "status.update.interval.ms": "100"}
    c.run(keys)
    server.sql("INSERT INTO other SELECT generate_series(1, 10000)")
    check_equal(c.run(keys), [])
    stored = int(c.stored()["lsn_commit"])
    check_equal(server.sql(f"SELECT '{stored // 2**32:X}/{stored % 2**32:X}'::pg_lsn >= confirmed_flush_lsn "
                           f"FROM pg_replication_slots WHERE slot_name = '{c.slot}'"), "t")
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(after(c.run(keys), "id"), [2])


@test
def a_busy_slot_holds_no_more_than_what_is_not_stored():
    c = Connector("CREATE TABLE t (id serial PRIMARY KEY, txt text)")
    process = c.start({**NO_ROWS, "status.update.interval.ms": "100"}, "-q", "-i", "0")
    until(lambda: slot_of(c, "active") == "t")
    for _ in range(5):
        server.sql("INSERT INTO t (txt) SELECT repeat('x', 100) FROM generate_series(1, 2000)")
        end = server.sql("SELECT pg_current_wal_lsn()")
        until(lambda: slot_of(c, f"confirmed_flush_lsn >= '{end}'::pg_lsn") == "t")
    process.kill()


@test
def the_slot_moves_as_the_flush_mode_says():
    c = Connector(*TABLE, "CREATE TABLE other (n int)")
    keys = {"table.include.list": "public.t", "lsn.flush.mode": "connector"}
    c.run(keys)
    before = slot_of(c, "confirmed_flush_lsn")
    server.sql("INSERT INTO other SELECT generate_series(1, 1000)")
    check_equal(c.run(keys), [])
    check_equal(slot_of(c, "confirmed_flush_lsn"), before)
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(after(c.run(keys), "id"), [2])
    check_equal(slot_of(c, f"confirmed_flush_lsn > '{before}'"), "t")
    before = slot_of(c, "confirmed_flush_lsn")
    server.sql("INSERT INTO t VALUES (3)")
    check_equal(after(c.run({"lsn.flush.mode": "manual"}), "id"), [3])
    check_equal(slot_of(c, "confirmed_flush_lsn"), before)
    check_equal(c.run({"lsn.flush.mode": "manual"}), [])


@test
def a_sink_that_blocks_does_not_cost_the_connection():
    for _ in range(3):  # A machine that stands still for so long may cost it, but not each time.
        if not is_lost_by_a_sink_that_blocks():
            return
    raise AssertionError("the connection is lost each time")


def is_lost_by_a_sink_that_blocks():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)")
    c.run()
    server.sql(f"ALTER DATABASE {c.database} SET wal_sender_timeout = '6s'",
               "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i")
    process = c.start(None, "-n", "20000")
    until(lambda: slot_of(c, "active") == "t")
    begin = server.sql("SELECT now()")
    # Nobody reads what it writes.
    until(lambda: server.sql(f"SELECT now() - '{begin}' > '13 s'") == "t")
    check_equal(after(c.finish(process), "id"), list(range(1, 20001)))
    return "RETRY" in c.log


@test
def the_server_stops_fast_while_it_is_streamed_from():
    with RunningPostgres("fsync=off") as own:
        own.sql(*TABLE)
        run = subprocess.Popen(
            [RUN, "-i", "0", f"database.hostname={own.folder}", f"database.port={own.port}", "database.user=postgres",
             "database.dbname=postgres", "topic.prefix=p"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            check_equal(read(run.stdout.readline())["value"]["op"], "r")
            own.sql("CREATE TABLE other AS SELECT generate_series(1, 1000)", "INSERT INTO t VALUES (2)")
            check_equal(read(run.stdout.readline())["value"]["op"], "c")
            own.stop("fast")  # Fails after 120 s.
        finally:
            run.kill()
            run.wait()
            run.stdout.close()


@test
def a_slot_in_use_is_tried_again_so_often_and_its_holder_is_named():
    c = Connector(*TABLE)
    first = c.start(None, "-i", "0")
    until(lambda: slot_of(c, "active") == "t")
    said = c.fault({"slot.max.retries": "2", "slot.retry.delay.ms": "100"})
    check_has(said, f"BAD_CONFIG slot '{c.slot}' is in use by process ")
    check_has(said, "('Sluice Streaming', role 'postgres', from a Unix socket), still after 2 retries")
    second = c.start({**NO_ROWS, "slot.max.retries": "100000", "slot.retry.delay.ms": "20"}, "-n", "1", "-i", "0")
    until(lambda: "trying again in 20 ms (2 of 100000)" in open(second.log_file.name).read())
    first.kill()
    first.wait()
    server.sql("INSERT INTO t VALUES (2)")
    check_equal(after(c.finish(second), "id"), [2])


@test
def a_slot_whose_log_was_removed_is_told_and_when_needed_repaired():
    with RunningPostgres("fsync=off", "max_slot_wal_keep_size=1MB", "min_wal_size=32MB", "max_wal_size=32MB",
                         "wal_keep_size=0", "checkpoint_timeout=1h") as own:
        own.sql(*TABLE)
        command = [RUN, "-o", os.path.join(own.parent, "offsets"), f"database.hostname={own.folder}",
                   f"database.port={own.port}", "database.user=postgres", "database.dbname=postgres", "topic.prefix=p"]

        def run(*keys):
            done = subprocess.run([*command, *keys], capture_output=True, text=True, timeout=240)
            return done.returncode, [read(line) for line in done.stdout.splitlines()], done.stderr

        check_equal(run()[0], 0)
        for _ in range(4):
            own.sql("INSERT INTO t VALUES (2) ON CONFLICT DO NOTHING", "SELECT pg_switch_wal()", "CHECKPOINT")
        check_equal(own.sql("SELECT wal_status FROM pg_replication_slots"), "lost")
        status, _, log = run()
        check_equal(status, 1)
        check_has(log, "BAD_CONFIG slot 'debezium' is invalid, because the server says: its log was removed")
        status, records, log = run("snapshot.mode=when_needed")
        check_equal((status, ops(records)), (0, "rr"))
        check_has(log, "slot 'debezium' is invalid (its log was removed); dropping it")


# --- Other servers. ---

@test
def another_cluster_is_refused():
    c = Connector(*TABLE)
    c.run()
    with RunningPostgres("fsync=off") as other:
        keys = {"database.hostname": other.folder, "database.port": other.port, "database.dbname": "postgres"}
        said = c.fault(keys)
        check_has(said, "BAD_CONFIG the stored position is of database system ")
        check_has(said, "connect to the former, or delete the connector's offsets")


@test
def a_promoted_server_goes_on_where_its_log_is_the_same():
    with RunningPostgres("fsync=off", "restore_command=false") as own:
        own.sql(*TABLE)
        offsets = os.path.join(own.parent, "offsets")
        command = [RUN, "-o", offsets, f"database.hostname={own.folder}", f"database.port={own.port}",
                   "database.user=postgres", "database.dbname=postgres", "topic.prefix=p"]

        def run(*keys):
            done = subprocess.run([*command, *keys], capture_output=True, text=True, timeout=240)
            return done.returncode, [read(line) for line in done.stdout.splitlines()], done.stderr

        check_equal(run()[0], 0)
        own.sql("INSERT INTO t VALUES (2)")
        own.promote()
        check_equal(own.sql("SELECT timeline_id FROM pg_control_checkpoint()"), "2")
        own.sql("INSERT INTO t VALUES (3)")
        status, records, log = run()
        check_equal((status, after(records, "id")), (0, [2, 3]))
        check_has(log, "the server is on timeline 2 now, and was on 1")
        status, records, log = run()
        check_equal((status, records, "timeline" in log), (0, [], False))

        # What a standby that was behind would have: the position is past where it left the timeline.
        with open(offsets) as file:
            text = file.read()
        far = int(re.search(r"lsn_commit i (\d+)", text).group(1)) + 10**9
        text = re.sub(r"(lsn_commit|lsn_proc|commit_lsn) i \d+", rf"\1 i {far}", text)
        for timeline, said in (
                (1, "is of timeline 1, which the server, now on 2, left at "),
                (2, "the server's log (timeline 2) ends at "), (3, "the server's log (timeline 2) ends at ")):
            with open(offsets, "w") as file:
                file.write(re.sub(r"timeline i \d+", f"timeline i {timeline}", text))
            status, _, log = run()
            check_equal(status, 1)
            check_has(log, said)
            check_has(log, "set snapshot.mode=when_needed, or delete the connector's offsets")
        status, records, log = run("snapshot.mode=when_needed")
        check_equal((status, ops(records)), (0, "rrr"))
        own.sql("INSERT INTO t VALUES (4)")
        status, records, log = run()
        check_equal((status, after(records, "id"), log if status else ""), (0, [4], ""))


@test
def a_standby_before_16_cannot_decode_and_is_named():
    with RunningPostgres("fsync=off") as own:
        if int(own.sql("SHOW server_version_num")) >= 160000:
            raise Skip("this server decodes on a standby")
        own.sql(*TABLE)
        own.stop()
        signal = os.path.join(own.folder, "data", "standby.signal")
        open(signal, "w").close()
        own.again()
        done = subprocess.run(
            [RUN, f"database.hostname={own.folder}", f"database.port={own.port}", "database.user=postgres",
             "database.dbname=postgres", "topic.prefix=p"], capture_output=True, text=True, timeout=240)
        check_has(done.stderr, "is a standby, and logical decoding on one needs PostgreSQL 16: connect to the primary")


@test
def who_has_a_position_waits_for_a_standby_to_be_promoted():
    with RunningPostgres("fsync=off") as own:
        if int(own.sql("SHOW server_version_num")) >= 160000:
            raise Skip("this server decodes on a standby")
        own.sql(*TABLE)
        command = [RUN, "-o", os.path.join(own.parent, "offsets"), f"database.hostname={own.folder}",
                   f"database.port={own.port}", "database.user=postgres", "database.dbname=postgres",
                   "topic.prefix=p"]
        check_equal(subprocess.run(command, capture_output=True, timeout=120).returncode, 0)
        own.sql("INSERT INTO t VALUES (2)")
        own.stop()
        open(os.path.join(own.folder, "data", "standby.signal"), "w").close()
        own.again()
        process = subprocess.Popen([*command, "-n", "1", "-i", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        check_has(process.stderr.readline(), "or wait until this server is promoted")
        own.sql("SELECT pg_promote()")
        out, log = process.communicate(timeout=120)
        check_equal((process.returncode, [read(line)["value"]["after"]["id"] for line in out.splitlines()]), (0, [2]))


# --- Rights, limits, and what is missing. ---

@test
def a_publication_that_was_dropped_is_told():
    c = Connector(*TABLE)
    keys = {"publication.autocreate.mode": "disabled"}
    c.run()
    server.sql("DROP PUBLICATION dbz_publication")
    check_has(c.fault(keys), "BAD_CONFIG publication 'dbz_publication' does not exist in database")
    server.sql("INSERT INTO t VALUES (2)", "CREATE PUBLICATION dbz_publication FOR TABLE t")
    said = c.fault(keys)
    check_has(said, "it was dropped, or is younger than the changes that the slot stands at")
    check_has(said, "snapshot.mode=when_needed")


@test
def publications_are_made_as_wanted():
    c = Connector("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
    def made(mode, name):
        c.run({**NO_ROWS, "publication.autocreate.mode": mode, "publication.name": name,
               "table.include.list": "public.a"})
        return server.rows("SELECT puballtables, (SELECT string_agg(tablename, ',') FROM pg_publication_tables t "
                           f"WHERE t.pubname = p.pubname) FROM pg_publication p WHERE pubname = '{name}'")
    check_equal(made("all_tables", "one"), [["t", "a,b"]])
    check_equal(made("filtered", "two"), [["f", "a"]])
    check_equal(made("no_tables", "three"), [["f", None]])
    check_equal(made("disabled", "two"), [["f", "a"]])
    c.run({**NO_ROWS, "publication.name": "two"})
    check_has(c.log, "publication 'two' completed with \"public\".\"b\"")


@test
def rights_that_are_missing_are_named_with_the_statement_that_gives_them():
    c = Connector(*TABLE, "CREATE SCHEMA s", "CREATE TABLE s.t (id int PRIMARY KEY)",
                  "CREATE PUBLICATION dbz_publication FOR TABLE t, s.t")
    server.sql("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    keys = {"database.user": "reader", "publication.autocreate.mode": "disabled"}
    check_has(c.fault(keys), "run ALTER ROLE … REPLICATION as a superuser")
    server.sql("ALTER ROLE reader REPLICATION")
    said = c.fault({**keys, "table.include.list": "public.t"})
    check_has(said, "BAD_CONFIG snapshot: snapshot of table 'public.t'")
    check_has(said, "permission denied for table t; GRANT SELECT on it to the role")
    said = c.fault({**keys, "table.include.list": "s.t"})
    check_has(said, "permission denied for schema s; GRANT USAGE on it to the role")
    server.sql("GRANT SELECT ON t TO reader")
    check_equal(ops(c.run({**keys, "table.include.list": "public.t"})), "r")
    said = c.fault({"database.user": "reader", "publication.name": "other"})
    check_has(said, "BAD_CONFIG cannot create publication 'other'")
    check_has(c.fault({"database.user": "nobody_known"}), "create the role, or change database.user")
    server.sql("ALTER ROLE reader NOLOGIN")
    check_has(c.fault(keys), "run ALTER ROLE … LOGIN as a superuser")
    server.sql("ALTER ROLE reader LOGIN", "CREATE TABLE more (id int PRIMARY KEY)")
    check_has(c.fault({"database.user": "reader"}), "let its owner run ALTER PUBLICATION … ADD TABLE")


@test
def the_servers_limits_are_named():
    with RunningPostgres("fsync=off", "max_wal_senders=1", "max_replication_slots=1") as own:
        own.sql(*TABLE, "SELECT pg_create_physical_replication_slot('taken')")
        command = [RUN, f"database.hostname={own.folder}", f"database.port={own.port}", "database.user=postgres",
                   "database.dbname=postgres", "topic.prefix=p"]

        def says(text):
            run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                for line in run.stderr:
                    if text in line:
                        return
            finally:
                run.kill()
                run.wait()
                run.stderr.close()
            raise AssertionError(f"it does not say {text!r}")

        says("drop a slot that nobody needs (see pg_replication_slots), or raise max_replication_slots")
        own.sql("SELECT pg_drop_replication_slot('taken')")
        other = subprocess.Popen(["psql", "-X", "-q", f"host={own.folder} port={own.port} user=postgres "
                                  "dbname=postgres replication=database"], stdin=subprocess.PIPE, text=True,
                                 stdout=subprocess.DEVNULL)
        try:
            other.stdin.write("IDENTIFY_SYSTEM;\n")
            other.stdin.flush()
            until(lambda: own.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'") == "1")
            says("raise max_wal_senders and restart the server, or stop another client of replication")
        finally:
            other.stdin.close()
            other.wait()


@test
def a_database_that_was_dropped_and_made_anew_has_no_slot():
    c = Connector(*TABLE)
    c.run()
    until(lambda: slot_of(c, "active") == "f")
    server.database = "postgres"
    server.sql(f"DROP DATABASE {c.database}")
    check_has(c.fault(), "create the database, or change database.dbname")
    server.sql(f"CREATE DATABASE {c.database}")
    check_has(c.fault(), f"slot '{c.slot}' does not exist any more")


@test
def a_slot_of_another_database_is_refused():
    c = Connector(*TABLE)
    server.database = "postgres"
    create_slot(c)
    said = c.fault()
    check_has(said, f"slot '{c.slot}' is for plugin 'pgoutput' in database 'postgres', not for pgoutput in "
                    f"'{c.database}'")
    check_has(said, f"drop it with SELECT pg_drop_replication_slot('{c.slot}')")


@test
def the_transaction_that_a_new_slot_waits_for_is_named():
    c = Connector(*TABLE)
    slow = server.session()
    slow.stdin.write("SET application_name = 'a report'; BEGIN; INSERT INTO t VALUES (7);\n")
    slow.stdin.flush()
    until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL "
                             "AND application_name = 'a report'") == "1")
    process = c.start({"create.slot.command.timeout": "1000"}, "-n", "2")
    try:
        until(lambda: "waiting for the transaction of pid" in open(process.log_file.name).read())
    finally:
        slow.communicate("COMMIT;\n", timeout=120)
    check_equal(sorted(after(c.finish(process), "id")), [1, 7])
    check_has(c.log, "(role 'postgres', 'a report'), which has run for")


# --- What users of other connectors met. ---

@test
def a_prepared_transaction_comes_when_it_is_committed_and_never_when_it_is_rolled_back():
    with RunningPostgres("fsync=off", "max_prepared_transactions=4") as own:
        own.sql(*TABLE)
        command = [RUN, "-o", os.path.join(own.parent, "offsets"), f"database.hostname={own.folder}",
                   f"database.port={own.port}", "database.user=postgres", "database.dbname=postgres", "topic.prefix=p"]

        def ids():
            done = subprocess.run(command, capture_output=True, text=True, timeout=240)
            check_equal((done.returncode, done.stderr if done.returncode else ""), (0, ""))
            return after([read(line) for line in done.stdout.splitlines()], "id")

        check_equal(ids(), [1])
        own.script("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'one';"
                   "BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'two'; INSERT INTO t VALUES (4);")
        check_equal(ids(), [4])
        own.sql("COMMIT PREPARED 'one'", "ROLLBACK PREPARED 'two'")
        check_equal(ids(), [2])


@test
def rows_of_savepoints_that_were_rolled_back_do_not_come():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run()
    server.script("""BEGIN; INSERT INTO t VALUES (1); SAVEPOINT a; INSERT INTO t VALUES (2); ROLLBACK TO a;
        SAVEPOINT b; INSERT INTO t VALUES (3); RELEASE b; INSERT INTO t VALUES (4); COMMIT;""")
    check_equal(after(c.run(), "id"), [1, 3, 4])


@test
def a_transaction_larger_than_the_decoders_memory_passes_through():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY, txt text)")
    c.run()
    server.sql("ALTER SYSTEM SET logical_decoding_work_mem = '64kB'", "SELECT pg_reload_conf()",
               "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i")
    records = c.run()
    server.sql("ALTER SYSTEM RESET logical_decoding_work_mem", "SELECT pg_reload_conf()")
    check_equal(after(records, "id"), list(range(1, 5001)))


@test
def a_transaction_that_begins_where_another_ends_is_not_skipped():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run()
    for i in range(1, 9):
        server.sql(f"INSERT INTO t VALUES ({i})")
        if i % 2 == 0:
            check_equal(after(c.run(), "id"), [i - 1, i])


@test
def a_restart_between_two_copies_at_one_position_loses_nothing():
    c = Connector("CREATE TABLE t (id int PRIMARY KEY)")
    c.run()
    rows = "".join(f"{i}\n" for i in range(1, 101))
    server.script(f"BEGIN;\nCOPY t FROM stdin;\n{rows}\\.\nUPDATE t SET id = -id WHERE id <= 10;\nCOMMIT;\n")
    state, seen = {}, 0
    for keep in (37, 63, 6, 1000):
        records = c.run(None, "-k", str(keep))
        fold(records[:keep], state)
        seen += min(keep, len(records))
    check_equal(sorted(row["id"] for row in state.values()), sorted([*range(11, 101), *range(-10, 0)]))
    check_equal(seen, 130)


if __name__ == "__main__":
    if not is_there():
        def postgresql_is_there():
            raise Skip("no PostgreSQL server is installed")

        cases[:] = [postgresql_is_there]
        main([])
    with RunningPostgres("fsync=off") as server:  # Only a machine that fails needs it.
        running_source.begin(RUN, server)
        main(sys.argv[2:])

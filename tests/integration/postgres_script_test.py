"""The PostgreSQL source and a server that lies, stops in the middle, and answers nonsense: it never crashes, and
says what came.

usage: postgres_script_test.py POSTGRES_RUN [WORD…]
"""
import os
import random
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_source import check_equal, check_has, read  # noqa: E402
from scripted_postgres import (CLOSE, Raw, ScriptedPostgres, begin, commit, insert, keepalive,  # noqa: E402
                               message, relation, row, rows, text, wal)
from tap import main, test  # noqa: E402

RUN = sys.argv[1]
GOOD = [begin(0x300), relation(), insert(b"1"), insert(b"2"), commit(0x300, 0x340)]


def start(server, *options, **keys):
    command = [RUN, *options, "database.hostname=127.0.0.1", f"database.port={server.port}", "database.user=x",
               "database.dbname=postgres", "topic.prefix=p", "snapshot.mode=no_data", "database.sslmode=disable",
               "publication.autocreate.mode=disabled", *(f"{k.replace('_', '.')}={v}" for k, v in keys.items())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="replace")


def run(server, *options, **keys):
    """(how it ended, its records, what it said); killed when its server has said all and it waits for more."""
    process = start(server, *options, **keys)
    killer = threading.Timer(90, process.kill)
    killer.start()
    out, log = process.communicate()
    killer.cancel()
    records = [] if "-q" in options else [read(line) for line in out.splitlines()]
    return process.returncode, records, log


def fails(script, said, status="FATAL", **server):
    with ScriptedPostgres(script, **server) as scripted:
        code, records, log = run(scripted, "-i", "0")
    check_equal((code, log if code != 1 else ""), (1, ""))
    check_has(log.splitlines()[-1], f"{status} ")
    check_has(log.splitlines()[-1], said)
    return records


def ids(records):
    return [r["value"]["after"]["id"] for r in records]


@test
def a_script_is_streamed():
    with ScriptedPostgres([*GOOD, keepalive(0x2000)]) as server:
        code, records, log = run(server)
    check_equal((code, ids(records), log if code else ""), (0, [1, 2], ""))


@test
def messages_that_no_server_sends_are_refused_and_named():
    fails([*GOOD, b"x123"], "replication message of kind 0x78, which is neither XLogData nor a keepalive")
    fails([*GOOD, wal(b"?")], "0x3f")
    fails([*GOOD, b"w123"], "ends")
    fails([*GOOD, wal(b"I\0\0")], "a row without a table")
    fails([begin(0x300), insert(b"1", oid=99)], "table with oid 99, which it has not described")
    fails([begin(0x300), relation(), wal(b"I" + struct.pack("!IcH", 1, b"N", 30000))], "30000 columns")
    fails([begin(0x300), relation(), wal(b"I" + struct.pack("!Ich", 1, b"N", 1) + b"t" + struct.pack("!i", -5))], "")
    fails([begin(0x300), relation(), wal(b"I" + struct.pack("!Ich", 1, b"N", 1) + b"t" + struct.pack("!i", 2**30))],
          "ends")
    fails([begin(0x300), relation(), wal(b"I" + struct.pack("!Ich", 1, b"N", 1) + b"q")], "0x71")


@test
def rows_that_do_not_fit_their_table_are_refused():
    records = fails([begin(0x300), relation(), insert(b"1"), insert(b"1", b"2")], "")
    check_equal(ids(records), [1])
    fails([begin(0x300), relation(), insert(b"one")], "", status="")
    fails([begin(0x300), relation(), row(b"U", 1)], "")


@test
def streamed_and_prepared_transactions_that_nobody_asked_for_are_refused():
    for kind in b"ScAbPKrp":
        fails([*GOOD, wal(bytes([kind]) + bytes(40))], f"0x{kind:02x}")


@test
def a_connection_that_ends_in_the_middle_of_a_message_is_made_again_and_nothing_is_doubled():
    half = message(b"d", insert(b"2"))[:20]
    with ScriptedPostgres([begin(0x300), relation(), insert(b"1"), Raw(half), CLOSE],
                          [begin(0x300), CLOSE],
                          [*GOOD, keepalive(0x2000)]) as server:
        code, records, log = run(server)
    check_equal((code, ids(records)), (0, [1, 2]))
    check_has(log, "RETRY")
    check_equal(server.sessions, 3)


def slot_of(process):
    return rows(["pgoutput", "postgres", None, "0/100", "t", process])


@test
def a_server_that_is_silent_and_still_at_work_is_waited_for():
    """Pitfall 21: a huge transaction of rows that are not published."""
    looks = threading.Semaphore(0)

    def slot():
        looks.release()
        return slot_of("1")  # As the server calls itself when it greets.

    def decode():
        """Silent until it was found at work three times."""
        for _ in range(3):
            if not looks.acquire(timeout=60):
                raise EOFError

    with ScriptedPostgres([begin(0x300), relation(), insert(b"1"), decode, insert(b"2"), commit(0x300, 0x340), keepalive(0x2000)],
                          answers=[("wal_sender_timeout", rows(["logical", "500", "f"])), ("active_pid", slot)]) as server:
        code, records, log = run(server, "-n", "2")
    check_equal((code, ids(records), server.sessions), (0, [1, 2], 1))
    check_has(log, "its process 1 is still at work; waiting")


@test
def a_server_that_is_silent_and_works_for_nobody_is_left():
    with ScriptedPostgres(GOOD[:3], [*GOOD, keepalive(0x2000)], answers=[("wal_sender_timeout", rows(["logical", "500", "f"]))]) as server:
        code, records, log = run(server, "-n", "2")
    check_equal((code, ids(records), server.sessions), (0, [1, 2], 2))
    check_has(log, "has been silent for longer than wal_sender_timeout; connecting again")


@test
def a_server_that_changes_its_encoding_in_mid_stream_gives_no_text_that_is_none():
    encoding = Raw(message(b"S", text("client_encoding") + text("LATIN1")))
    table = relation(columns=(("id", 23), ("txt", 25)))
    good = [begin(0x300), table, insert(b"1", b"ok"), insert(b"2", b"caf\xc3\xa9"), commit(0x300, 0x340), keepalive(0x2000)]
    with ScriptedPostgres([*good[:3], encoding, insert(b"2", b"caf\xe9")], good) as server:
        code, records, log = run(server)
    check_equal((code, [r["value"]["after"]["txt"] for r in records]), (0, ["ok", "café"]))
    check_has(log, "has changed client_encoding to LATIN1 in mid-stream; connecting again")


def until(condition, what):
    end = time.monotonic() + 90
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what()}")
        time.sleep(0.02)


@test
def a_server_that_has_nothing_to_tell_is_asked_and_one_that_does_not_answer_is_left():
    quiet = ("wal_sender_timeout", rows(["logical", "2000", "f"]))
    for answers in (True, False):
        with ScriptedPostgres([*GOOD], answers=[quiet]) as server:
            server.answers_asks = answers
            process = start(server, "-n", "0", "-i", "0", status_update_interval_ms=100)
            if answers:
                until(lambda: server.asks >= 4, lambda: f"{server.asks} times asked")
            else:
                until(lambda: server.sessions >= 2, lambda: "it stays")
            process.kill()
            _, log = process.communicate()
        if not answers:
            check_has(log, "has been silent for longer than wal_sender_timeout")


@test
def answers_of_nonsense_to_queries_are_faults_and_no_crash():
    for word, answer in (("wal_sender_timeout", rows()), ("puballtables", rows()), ("IDENTIFY_SYSTEM", rows()),
                         ("IDENTIFY_SYSTEM", rows(["x" * 5000])), ("active_pid", rows(["pgoutput"])),
                         ("active_pid", rows([None, None, None, "0/0/0", "?", "-"])),
                         ("wal_sender_timeout", rows([None, "99999999999999999999", None]))):
        with ScriptedPostgres(GOOD, answers=[(word, answer)]) as server:
            code, _, log = run(server, "-n", "2", slot_max_retries=0)
        if code not in (0, 1):
            raise AssertionError(f"{word} {answer!r}: ended with {code}: {log}")


@test
def a_server_that_is_none_is_told():
    class Rude(ScriptedPostgres):
        def speak(self, client):
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Rude(GOOD) as server:
        process = subprocess.Popen([RUN, "database.hostname=127.0.0.1", f"database.port={server.port}",
                                    "database.user=x", "database.dbname=postgres", "topic.prefix=p"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = process.stderr.readline()  # It tries again.
        process.kill()
        process.communicate()
    check_has(said, "RETRY cannot connect to '127.0.0.1:")


@test
def any_damage_to_a_stream_ends_in_a_sentence():
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 10**9)
    print(f"# SEED={seed}")
    chance = random.Random(seed)
    table = relation(columns=(("id", 23), ("txt", 25), ("n", 1700), ("at", 1114), ("a", 1007)))
    good = [begin(0x300), table, insert(b"1", b"x", b"1.50", b"2026-01-01 00:00:00", b"{1,2}"),
            commit(0x300, 0x340), begin(0x400), table, insert(b"2", b"y", None, b"infinity", b"{}"),
            commit(0x400, 0x440), keepalive(0x2000)]
    for _ in range(12):
        script = list(good)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(script))
            bent = bytearray(script[at])
            if chance.random() < 0.3:
                del bent[chance.randrange(len(bent) + 1):]
            elif bent:
                bent[chance.randrange(len(bent))] = chance.randrange(256)
            script[at] = bytes(bent)
        with ScriptedPostgres([*script, CLOSE], [*good[:8], CLOSE], [*good]) as server:
            code, _, log = run(server, "-q", "-n", "2", "-i", "300")
        if code not in (0, 1):
            raise AssertionError(f"ended with {code}: {log[-3000:]}")


if __name__ == "__main__":
    main(sys.argv[2:])

"""A connector moves from Debezium to Sluice and back, by its offsets: nothing is lost, and at most the
change at hand comes twice.

Both write to one broker of ours. Offsets move by REST (GET and PATCH /connectors/…/offsets), once by the file of a
standalone Kafka Connect worker, and once by the topic of a distributed one.

Skipped unless KAFKA names a folder of Apache Kafka's jars, DEBEZIUM one of its PostgreSQL connector's, and there is java.

usage: KAFKA=DIR DEBEZIUM=DIR postgres_move_test.py SLUICE [WORD…]
"""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from running_connect import JSON, RunningConnect  # noqa: E402
from running_postgres import RunningPostgres, is_there  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import Skip, cases, check_equal, main, test  # noqa: E402

PROGRAM = sys.argv[1]
KAFKA, DEBEZIUM = os.environ.get("KAFKA"), os.environ.get("DEBEZIUM")
server = broker = connect = None
numbers = iter(range(1, 1000))
PLAIN = {"key.converter": JSON, "key.converter.schemas.enable": "false",
         "value.converter": JSON, "value.converter.schemas.enable": "false"}


class Topic:
    """What is in a topic so far, by a consumer that goes on."""

    def __init__(self, name):
        from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
        self.records = []
        self.consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "none",
                                  "topic.metadata.refresh.interval.ms": 500, "enable.auto.commit": False})
        self.consumer.assign([TopicPartition(name, 0, OFFSET_BEGINNING)])

    def read(self):
        while True:
            batch = self.consumer.consume(1000, 0.2)
            for message in batch:
                if not message.error():
                    value = message.value()
                    self.records.append((json.loads(message.key()), value and json.loads(value)))
            if not batch:
                return self.records

    def until(self, true):
        end = time.monotonic() + 90
        while not true(self.read()):
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.records)} records, the last {self.records[-3:]}")

    def fold(self):
        state = {}
        for key, value in self.read():
            if value is None or value["op"] == "d":
                state.pop(key["id"], None)
            else:
                state[key["id"]] = value["after"]
        return state


def table():
    return {int(row[0]): {"id": int(row[0]), "txt": row[1]} for row in server.rows("SELECT id, txt FROM t")}


class Move:
    """A connector that runs here or there, one at a time."""

    def __init__(self, *statements, **keys):
        number = next(numbers)
        self.name = f"c{number}"
        server.sql("DROP TABLE IF EXISTS t", "DROP PUBLICATION IF EXISTS dbz_publication",
                   "CREATE TABLE t (id int PRIMARY KEY, txt text)", *statements)
        self.config = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                       "database.hostname": "127.0.0.1", "database.port": str(server.port),
                       "database.user": "postgres", "database.password": "none", "database.dbname": "postgres",
                       "topic.prefix": f"p{number}", "plugin.name": "pgoutput", "slot.name": f"slot_{number}",
                       "publication.autocreate.mode": "filtered", "table.include.list": "public.t",
                       "slot.retry.delay.ms": "500", "slot.max.retries": "100", **keys}
        self.topic = Topic(f"p{number}.public.t")
        self.worker = RunningWorker([PROGRAM, "standalone"], {
            "bootstrap.servers": broker.address, **PLAIN, "offset.flush.interval.ms": "500"})

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print("# " + "\n# ".join(self.worker.log().splitlines()[-20:]))
            log = [line for line in connect.log().splitlines() if " WARN Type [" not in line]
            print("# " + "\n# ".join(log[-20:]))
        self.worker.__exit__(kind, value, traceback)
        try:
            connect.delete(self.name)
        except AssertionError:
            pass
        self.topic.consumer.close()

    # --- Debezium. ---

    def debezium(self, offset=None):
        """Runs it there, from `offset` where there is one."""
        if offset is not None:
            body = {"offsets": [{"partition": {"server": self.config["topic.prefix"]}, "offset": offset}]}
            connect.call("PATCH", f"/connectors/{self.name}/offsets", body)
            connect.call("PUT", f"/connectors/{self.name}/resume")
        else:
            connect.create(self.name, {**self.config, **PLAIN})

    def debezium_offset(self):
        """Stops it and gives its offset."""
        connect.call("PUT", f"/connectors/{self.name}/stop")
        until(lambda: not connect.call("GET", f"/connectors/{self.name}/status")["tasks"])
        self.wait_slot()
        return connect.call("GET", f"/connectors/{self.name}/offsets")["offsets"][0]["offset"]

    # --- Sluice. ---

    def sluice(self, offset):
        if self.worker.call("GET", f"/connectors/{self.name}")[0] == 404:
            status, body = self.worker.call("POST", "/connectors", {
                "name": self.name, "config": self.config, "initial_state": "STOPPED"})
            check_equal((status, body if status != 201 else ""), (201, ""))
        body = {"offsets": [{"partition": {"server": self.config["topic.prefix"]}, "offset": offset}]}
        status, body = self.worker.call("PATCH", f"/connectors/{self.name}/offsets", body)
        check_equal((status, body if status != 200 else ""), (200, ""))
        check_equal(self.worker.call("PUT", f"/connectors/{self.name}/resume")[0], 202)

    def sluice_offset(self):
        check_equal(self.worker.call("PUT", f"/connectors/{self.name}/stop")[0], 204)
        until(lambda: self.worker.state(self.name) == "STOPPED")
        self.wait_slot()
        return self.worker.call("GET", f"/connectors/{self.name}/offsets")[1]["offsets"][0]["offset"]

    def wait_slot(self):
        until(lambda: server.sql("SELECT active FROM pg_replication_slots "
                                 f"WHERE slot_name = '{self.config['slot.name']}'") == "f")

    def ids(self):
        return [value["after"]["id"] for _, value in self.topic.read() if value and value["after"]]

    def check_equals_table(self):
        self.topic.until(lambda _: self.topic.fold() == table())


@test
def a_connector_moves_to_sluice_and_back_while_the_table_changes():
    with Move("INSERT INTO t SELECT i, 'old' FROM generate_series(1, 50) i") as move:
        move.debezium()
        move.topic.until(lambda records: len(records) >= 50)
        server.sql("INSERT INTO t VALUES (101, 'a')", "INSERT INTO t SELECT i, 'b' FROM generate_series(102, 110) i",
                   "UPDATE t SET id = 200, txt = 'c' WHERE id = 1", "DELETE FROM t WHERE id = 2",
                   "UPDATE t SET txt = 'd' WHERE id = 3")
        move.check_equals_table()
        count = len(move.topic.records)
        offset = move.debezium_offset()
        check_equal("v" in offset, False)
        server.sql("INSERT INTO t VALUES (301, 'between')", "DELETE FROM t WHERE id = 4")
        move.sluice(offset)
        move.check_equals_table()
        again = move.ids()[len([1 for _, v in move.topic.records[:count] if v and v["after"]]):]
        check_equal([i for i in again if i != 3], [301])  # Debezium does not say that the last update is whole.
        server.sql("INSERT INTO t VALUES (302, 'ours')", "UPDATE t SET txt = 'ours' WHERE id < 20",
                   "UPDATE t SET id = 303 WHERE id = 302")
        move.check_equals_table()
        count = len(move.topic.records)
        offset = move.sluice_offset()
        check_equal((offset["v"], offset["messageType"], offset["lsn_proc"] == offset["lsn_commit"]), (2, "COMMIT", True))
        server.sql("INSERT INTO t VALUES (401, 'between')", "DELETE FROM t WHERE id = 5")
        move.debezium(offset)
        move.check_equals_table()
        check_equal([value["after"]["id"] for _, value in move.topic.records[count:] if value and value["after"]], [401])
        check_equal(move.topic.records[-1], ({"id": 5}, None))


def copy_rows(first, last):
    rows = "".join(f"{i}\tx\n" for i in range(first, last + 1))
    server.script(f"COPY t FROM stdin;\n{rows}\\.\n")


@test
def a_connector_moves_to_sluice_within_a_transaction_whose_rows_share_positions():
    with Move() as move:
        move.debezium()
        until(lambda: server.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1")
        server.sql("INSERT INTO t VALUES (0, 'first')")
        copy_rows(1, 5000)
        move.check_equals_table()
        records = list(move.topic.records)
        positions = [value["source"]["lsn"] for _, value in records]
        check_equal(len(set(positions)) < 4000, True)
        at = positions[3000]
        # What it would have stored, had it been stopped at that record.
        move.sluice({**move.debezium_offset(), "lsn": at, "lsn_proc": at})
        first_there = positions.index(at)
        move.topic.until(lambda now: len(now) >= len(records) + 5000 - first_there)
        check_equal(move.ids()[len(records):], list(range(first_there + 1, 5001)))


@test
def a_connector_moves_to_debezium_within_a_transaction_and_loses_nothing():
    with Move(**{"snapshot.mode": "no_data"}) as move:
        slot = move.config["slot.name"]
        move.worker.call("POST", "/connectors", {"name": move.name, "config": move.config})
        until(lambda: server.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1")
        server.sql("INSERT INTO t VALUES (0, 'first')")
        move.check_equals_table()
        before = move.sluice_offset()
        # The slot as it is while the transaction is not done; the other moves on.
        server.sql(f"SELECT pg_copy_logical_replication_slot('{slot}', '{slot}_copy')")
        copy_rows(1, 5000)
        check_equal(move.worker.call("PUT", f"/connectors/{move.name}/resume")[0], 202)
        move.check_equals_table()
        records = list(move.topic.records)
        within = {**move.sluice_offset(), "lsn_commit": before["lsn_commit"], "lsn_proc": before["lsn_proc"],
                  "lsn": records[3000][1]["source"]["lsn"], "tx_index": 3000}
        move.config["slot.name"] = f"{slot}_copy"
        connect.call("POST", "/connectors", {"name": move.name, "config": {**move.config, **PLAIN},
                                             "initial_state": "STOPPED"})
        move.debezium(within)
        move.topic.until(lambda now: len(now) >= len(records) + 5000)
        check_equal(move.ids()[len(records):], list(range(1, 5001)))


@test
def a_snapshot_that_debezium_did_not_end_is_taken_anew():
    with Move("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 500) i") as move:
        move.debezium()
        move.check_equals_table()
        offset = move.debezium_offset()
        check_equal((offset["snapshot"], offset["snapshot_completed"]), ("INITIAL", True))
        server.sql("DELETE FROM t WHERE id <= 50")
        count = len(move.topic.records)
        # What it stores before the last row.
        move.sluice({**offset, "snapshot_completed": False, "last_snapshot_record": False})
        move.check_equals_table()
        check_equal(sum(value is not None and value["op"] == "r" for _, value in move.topic.records[count:]), 450)


@test
def the_offsets_file_of_kafka_connect_is_taken_over():
    with Move("INSERT INTO t VALUES (1, 'old')") as move:
        move.debezium()
        move.topic.until(lambda records: len(records) >= 1)
        server.sql("INSERT INTO t VALUES (2, 'there')")
        move.check_equals_table()
        move.debezium_offset()
        move.worker.stop()
        path = os.path.join(move.worker.folder, "offsets")
        os.remove(path)
        until(lambda: os.path.exists(f"{connect.folder}/offsets"))
        shutil.copy(f"{connect.folder}/offsets", path)
        server.sql("INSERT INTO t VALUES (3, 'here')")
        count = len(move.topic.read())
        move.worker.start()
        status, body = move.worker.call("POST", "/connectors", {"name": move.name, "config": move.config})
        check_equal((status, body if status != 201 else ""), (201, ""))
        move.check_equals_table()
        check_equal([value["after"]["id"] for _, value in move.topic.records[count:]], [3])


@test
def the_offsets_topic_of_a_cluster_that_is_gone_is_read():
    with Move("INSERT INTO t VALUES (1, 'old')") as move:
        with RunningConnect(KAFKA, DEBEZIUM, broker.address, "old") as cluster:
            cluster.create(move.name, {**move.config, **PLAIN})
            move.topic.until(lambda records: len(records) >= 1)
            server.sql("INSERT INTO t VALUES (2, 'there')")
            move.check_equals_table()
        move.wait_slot()
        server.sql("INSERT INTO t VALUES (3, 'here')")
        count = len(move.topic.read())
        check_equal(move.worker.call("POST", "/connectors", {"name": move.name, "config": move.config, "initial_state": "STOPPED"})[0], 201)
        offsets = subprocess.run([PROGRAM, "connect-offsets", move.name, "--topic", "old-offsets", "--bootstrap-server", broker.address],
                                 capture_output=True, text=True, timeout=120, check=True).stdout
        check_equal(move.worker.call("PATCH", f"/connectors/{move.name}/offsets", json.loads(offsets))[0], 200)
        check_equal(move.worker.call("PUT", f"/connectors/{move.name}/resume")[0], 202)
        move.check_equals_table()
        check_equal([value["after"]["id"] for _, value in move.topic.records[count:]], [3])


def why_not():
    try:
        import confluent_kafka  # noqa: F401
    except ImportError:
        return "there is no confluent_kafka"
    return None if is_there() else "no PostgreSQL server is installed"


if __name__ == "__main__":
    reason = RunningConnect.why_not(KAFKA, DEBEZIUM) or why_not()
    if reason is not None:
        def debezium_is_there():
            raise Skip(reason)

        cases[:] = [debezium_is_there]
        main([])
    with RunningPostgres("fsync=off") as server, RunningBroker(PROGRAM) as broker, \
            RunningConnect(KAFKA, DEBEZIUM, broker.address) as connect:
        main(sys.argv[2:])

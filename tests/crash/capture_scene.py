"""A scene for capture: PostgreSQL whose tables random sessions change, a broker and a worker with the
source, and everything that may befall them. At the end the topics, read back and applied, must be
the tables, and tell every key's changes in the order of commits.

The tables and the journal of what was committed are in capture_tables.py, the sessions in
capture_workload.py; capture_judge.py says what is wrong. When it is all over, the slot must follow
the server's head.

    with Scene(program) as scene:
        scene.play(10, scene.kill_host, scene.kill_broker)
        scene.check()

SEED=N replays the plan.
"""
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from capture_judge import judge
from capture_tables import TABLES, setup_sql
from capture_workload import Workload
from fragile_link import FragileLink
from running_broker import RunningBroker
from running_postgres import RunningPostgres, is_there
from running_worker import RunningWorker, until
from tap import Skip, cases
from wire_client import EARLIEST, LATEST, Gone, Refused, Wire, read_whole_records

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10 ** 6)))
PATIENCE = 240
TOUCH = {table: f"UPDATE {table} SET n = coalesce(n, 0) + 1" for table in TABLES}


def read_topic(address, name):
    """Every record of a topic with one partition, as dictionaries."""
    records = []
    with Wire(address) as wire:
        at, end = wire.offset_at(name, 0, EARLIEST), wire.offset_at(name, 0, LATEST)
        while at < end:
            some = [one for one in read_whole_records(wire.fetch(name, 0, at, 8 << 20).raw)
                    if one[0] >= at]
            if not some:
                raise AssertionError(f"topic {name} ends at {at}, not at {end}")
            for offset, key, value, _ in some:
                records.append({"offset": offset, "key": key and json.loads(key),
                                "value": value and json.loads(value)})
            at = some[-1][0] + 1
    return records


class Scene:
    """PostgreSQL with tables and journal, a broker and a worker with the source, a plan. With
    `links`, the source reaches both by ways that can be cut; `make_broker` takes settings."""

    def __init__(self, program, rows=30, seed=SEED, links=False, make_broker=None):
        print(f"# seed {seed}", flush=True)
        self.plan = random.Random(seed)
        self.kills = Counter()
        self.early = 0  # Troubles before the snapshot's end, each of which may repeat what came.
        self.server = RunningPostgres(
            "fsync=off", "max_prepared_transactions=20", "deadlock_timeout=20ms",
            "checkpoint_timeout=30s", f"wal_sender_timeout={3 if links else 10}s",
            "log_min_messages=fatal", "restore_command=false")
        self.server.script(setup_sql(rows))
        self.since = int(self.server.sql("SELECT max(seq) FROM journal"))
        self.way = self.log_way = None
        settings = {"log.segment.bytes": "4000000"}
        if links:
            self.way = FragileLink(lambda: ("127.0.0.1", self.server.port))
            self.log_way = FragileLink(lambda: ("127.0.0.1", int(self.broker.address.split(":")[1])))
            settings["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{self.log_way.port}"
        self.broker = (make_broker or RunningBroker)(program, settings)
        self.worker = RunningWorker([program, "standalone"], {
            "bootstrap.servers": settings.get("advertised.listeners", self.broker.address)
            .removeprefix("PLAINTEXT://"), "offset.flush.interval.ms": "200"},
            [self.connector_file()])
        self.workload = None

    def connector_file(self):
        json_converter = "org.apache.kafka.connect.json.JsonConverter"
        host, port = (("127.0.0.1", self.way.port) if self.way is not None else
                      (self.server.folder, self.server.port))
        config = {
            "name": "capture",
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": host, "database.port": str(port),
            "database.user": "postgres", "database.dbname": "postgres", "topic.prefix": "c",
            "table.include.list": ",".join(f"public.{table}" for table in TABLES),
            "publication.autocreate.mode": self.plan.choice(("all_tables", "filtered")),
            "skipped.operations": "none", "status.update.interval.ms": "500",
            "database.query.timeout.ms": "5000", "connection.validation.timeout.ms": "5000",
            "slot.retry.delay.ms": "500", "slot.max.retries": "100",
            "max.batch.size": str(self.plan.choice((16, 2048))),
            "key.converter": json_converter, "key.converter.schemas.enable": "false",
            "value.converter": json_converter, "value.converter.schemas.enable": "false",
            "value.converter.replace.null.with.default": "false",
            "restart.policy": "on-crash", "restart.max.attempts": "100000",
            "restart.backoff.initial.ms": "20", "restart.backoff.max.ms": "100"}
        path = os.path.join(self.server.parent, "capture.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        return path

    def __enter__(self):
        self.wait(lambda: self.slot("confirmed_flush_lsn IS NOT NULL") == "t", "a slot")
        choose = self.plan
        self.workload = Workload(self.server, lambda: random.Random(choose.randrange(1 << 30)))
        return self

    def __exit__(self, kind, value, traceback):
        try:
            self.workload.stop()
            self.worker.__exit__(kind, value, traceback)
        finally:
            for way in (self.way, self.log_way):
                if way is not None:
                    way.close()
            self.broker.__exit__(kind, value, traceback)
            self.server.__exit__(kind, value, traceback)

    def wait(self, true, what, seconds=PATIENCE):
        until(true, lambda: f"{what}\n{self.describe()}", seconds)

    def describe(self):
        try:
            status = self.worker.call("GET", "/connectors/capture/status")
        except OSError as why:
            status = why
        return f"status: {status}\n" + self.worker.log()[-3000:]

    def slot(self, expression):
        return self.server.sql(f"SELECT {expression} FROM pg_replication_slots")

    # -- Kills

    def kill_host(self):
        self.wait(lambda: self.worker.host_of("capture"), "a host")
        try:
            os.kill(self.worker.host_of("capture"), signal.SIGKILL)
        except (ProcessLookupError, TypeError):
            return  # It was faster.
        self.kills["host"] += 1

    def kill_worker(self):
        self.worker.stop(signal.SIGKILL)
        self.kills["worker"] += 1
        self.worker.start()

    def kill_broker(self):
        self.broker.crash()
        self.kills["broker"] += 1
        if self.plan.random() < 0.3:
            self.workload.wait_done(self.plan.randint(1, 60), 3)
        self.broker.start()

    def kill_server(self):
        self.server.crash()
        self.kills["server"] += 1

    def kill_link(self):
        """The server ends the replication connection."""
        self.server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
        self.kills["link"] += 1

    def kill_two(self):
        """The host or the worker dies while the broker is away."""
        self.broker.crash()
        self.kills["broker"] += 1
        self.plan.choice((self.kill_host, self.kill_worker))()
        self.broker.start()

    # -- Whoever stands still

    def freeze(self, name, pids, seconds_max):
        """They get no time for a while."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self.kills[name] += 1
        deadline = time.monotonic() + self.plan.uniform(0.05, seconds_max)
        while (left := deadline - time.monotonic()) > 0:
            self.workload.wait_done(10 ** 9, left)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def freeze_host(self, seconds_max=1):
        self.wait(lambda: self.worker.host_of("capture"), "a host")
        host = self.worker.host_of("capture")
        self.freeze("frozen host", [host] if host else [], seconds_max)

    def freeze_worker(self, seconds_max=1):
        """It alone, or with all its processes."""
        pids = [self.worker.process.pid]
        if self.plan.random() < 0.3:
            pids += self.worker.children()
        self.freeze("frozen worker", pids, seconds_max)

    def freeze_broker(self, seconds_max=1):
        self.freeze("frozen broker", [self.broker.process.pid], seconds_max)

    def freeze_server(self, seconds_max=1):
        self.freeze("frozen server", self.server.pids(), seconds_max)

    # -- Connections

    def cut_server(self):
        self.way.cut()
        self.kills["cut from server"] += 1

    def cut_log(self):
        self.log_way.cut()
        self.kills["cut from log"] += 1

    def hold_ways(self, seconds_max=1):
        """Nothing passes, one way or both; then it does, or the connection is reset."""
        ways = self.plan.choice(((self.way,), (self.log_way,), (self.way, self.log_way)))
        for way in ways:
            way.hold()
        self.workload.wait_done(self.plan.randint(1, 100), self.plan.uniform(0.05, seconds_max))
        for way in ways:
            if self.plan.random() < 0.5:
                way.cut()
            way.go_on()
        self.kills["held"] += 1

    def deafen_server(self):
        """Nobody says that the connections have gone. Rows that a snapshot waits for it would wait
        for until the system finds out, which it cannot here."""
        self.wait(lambda: "snapshot ends" in self.worker.log(), "the snapshot's end")
        self.way.deafen()
        self.kills["deaf"] += 1

    # -- The log's disk

    def fill_disk(self, seconds_max=1):
        """After some bytes more nothing can be written, until there is room again."""
        self.broker.fail(f"{self.plan.choice(('write', 'change'))} ENOSPC "
                         f"{self.plan.choice((0, 100, 100000))} *")
        self.workload.wait_done(self.plan.randint(1, 300), self.plan.uniform(0.05, seconds_max))
        if self.plan.random() < 0.3:
            self.kill_host()
        self.broker.mend()
        self.kills["full disk"] += 1

    # -- The server goes and comes back

    def restart_server(self):
        self.server.stop(self.plan.choice(("fast", "immediate")))
        self.server.again()
        self.kills["restarted server"] += 1

    def promote_server(self):
        """Whoever begins on a standby is refused; whoever was there before it became one waits."""
        self.wait(lambda: "snapshot ends" in self.worker.log(), "the snapshot's end")
        self.server.promote()
        self.kills["promoted server"] += 1

    def play(self, seconds, *kinds):
        """Kills at random moments, which the progress of the sessions counts."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.early += "snapshot ends" not in self.worker.log()
            self.plan.choice(kinds)()
            most = self.plan.choice((3, 30, 300, 1000))
            self.workload.wait_done(self.plan.randint(1, most), max(0.5, min(5, seconds / 4)))

    # -- The end

    def settle(self):
        """Nothing more changes: every transaction is over, every row has a last version."""
        self.workload.stop()
        for number, (gid,) in enumerate(self.server.rows("SELECT gid FROM pg_prepared_xacts")):
            self.server.sql(f"{('COMMIT', 'ROLLBACK')[number % 2]} PREPARED '{gid}'")
        self.server.sql(*TOUCH.values())
        self.server.sql("; ".join(
            f"INSERT INTO {table} ({'x, y' if table == 'indexed' else 'id'}"
            f"{', region' if table == 'parted' else ''}, note) VALUES (-1"
            f"{', 0' if table in ('indexed', 'parted') else ''}, 'the end')" for table in TABLES))

    def ended(self, table, seen):
        """Whether the topic has the last row; `seen` remembers how far it was looked for."""
        name = f"c.public.{table}"
        try:
            with Wire(self.broker.address) as wire:
                at, end = seen.get(table, 0), wire.offset_at(name, 0, LATEST)
                while at < end:
                    some = read_whole_records(wire.fetch(name, 0, at, 8 << 20).raw)
                    if any(value and b'"the end"' in value for _, _, value, _ in some):
                        return True
                    at = seen[table] = some[-1][0] + 1
        except (Gone, Refused):
            pass  # The broker is away, or the topic not there yet.
        return False

    def check_topics(self):
        seen = {}
        for table in TABLES:
            self.wait(lambda table=table: self.ended(table, seen), f"the end of {table}")
        journal = [{"seq": int(seq), "xid": int(xid), "relation": relation, "op": op,
                    "old": old and json.loads(old), "new": new and json.loads(new)}
                   for seq, xid, relation, op, old, new in
                   self.server.rows("SELECT seq, xid, relation, op, old, new FROM journal "
                                    "ORDER BY seq")]
        topics = {table: read_topic(self.broker.address, f"c.public.{table}") for table in TABLES}
        contents = {table: [json.loads(row) for row, in self.server.rows(
            f"SELECT shortened(to_jsonb(t)) FROM {table} t")] for table in TABLES}
        print(f"# {sum(self.kills.values())} troubles {dict(self.kills)}, {self.workload.done} transactions, "
              f"{len(journal)} changes, {sum(map(len, topics.values()))} records", flush=True)
        restarts = self.early + self.kills["host"] + self.kills["worker"]
        faults = judge(TABLES, journal, self.since, topics, contents, restarts)
        if faults.kinds():
            path = os.path.join(tempfile.gettempdir(), f"sluice-capture-{SEED}.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"since": self.since, "journal": journal, "topics": topics,
                           "contents": contents, "restarts": restarts}, file)
            raise AssertionError("\n".join(faults.lines()) + f"\nhistory: {path}")

    def check_slot(self):
        """The slot follows to where the server stood, and so does what it keeps."""
        head = self.server.sql("SELECT pg_current_wal_lsn()")

        def follows():
            self.server.sql("CHECKPOINT")  # It says which transactions run: that moves restart_lsn.
            return self.slot(f"confirmed_flush_lsn >= '{head}' AND restart_lsn >= '{head}'") == "t"

        self.wait(follows, f"a slot at {head}")

    def check(self):
        """The slot comes first: until a snapshot has ended, changes may come before its rows."""
        self.settle()
        self.check_slot()
        self.check_topics()
        self.worker.wait_state("capture", "RUNNING RUNNING")


def need_server():
    """Without a PostgreSQL server there is one case, which says so."""
    if not is_there():
        def postgresql_is_there():
            raise Skip("no PostgreSQL server is installed")

        cases[:] = [postgresql_is_there]

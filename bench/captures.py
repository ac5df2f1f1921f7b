"""The subjects of bench/capture.py: Sluice, and Debezium on Apache Kafka where both are installed.

Each runs a broker and a worker on 127.0.0.1 at free ports, has its log's end offsets, and says what
it costs: CPU seconds of the process that captures and of the broker, and memory, from /proc.
"""
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "examples", "quickstart")]
import brokers  # pylint: disable=wrong-import-position
from system import Sluice as SluiceUp  # pylint: disable=wrong-import-position

TICKS = os.sysconf("SC_CLK_TCK")


class Offsets:
    """The end offset of partition 0 of a topic, over one connection."""

    def __init__(self, bootstrap, topic):
        host, port = bootstrap.split(":")
        self.connection = socket.create_connection((host, int(port)), 10)
        name = struct.pack(">h", len(topic)) + topic.encode()
        body = struct.pack(">hhih5s", 2, 1, 1, 5, b"bench") + struct.pack(">ii", -1, 1) + name + \
            struct.pack(">iiq", 1, 0, -1)
        self.request, self.skip = struct.pack(">i", len(body)) + body, 4 + 4 + len(name) + 4

    def take(self, size):
        data = b""
        while len(data) < size:
            data += self.connection.recv(size - len(data)) or sys.exit("the broker has closed a connection")
        return data

    def end(self):
        self.connection.sendall(self.request)
        answer = self.take(struct.unpack(">i", self.take(4))[0])
        _, error, _, offset = struct.unpack_from(">ihqq", answer, self.skip)
        return offset if error == 0 else 0


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICKS


def peak_mb(pid):
    """The most memory that the process has had, libraries included."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def wake_ups(pid):
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as status:
            count += next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))
    return count


class Sluice:
    """`sluice up`: the captor is the host of the connector."""
    name, tuned = "sluice", {}

    def __init__(self, program):
        self.program, self.up = program, SluiceUp(program)

    def __enter__(self):
        self.up.__enter__()
        return self

    def __exit__(self, *what):
        self.up.__exit__(*what)

    @property
    def bootstrap(self):
        return self.up.broker

    def call(self, *what):
        return self.up.call(*what)

    def create_topic(self, name):
        subprocess.run([self.program, "topics", "create", name, "--partitions", "1",
                        "--bootstrap-server", self.bootstrap], check=True, capture_output=True)

    def delete_topic(self, name):
        subprocess.run([self.program, "topics", "delete", name, "--bootstrap-server", self.bootstrap],
                       check=True, capture_output=True)

    def pids(self, connector):
        """Of the captor, and of the broker."""
        titles = {title: pid for pid, (title, _) in self.up.processes().items()}
        return titles.get(f"sluice:{connector}"), titles["sluice broker"]


CONNECT = """
bootstrap.servers=127.0.0.1:{port}
listeners=http://127.0.0.1:{rest}
plugin.path={folder}/plugins
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.file.filename={folder}/offsets
"""


class Debezium:
    """Debezium in Kafka Connect, standalone, on Apache Kafka; `peers` has their jars in kafka/ and debezium/.

    Its producer is tuned (1 MB batches, linger.ms=20), which more than doubles its rate.
    """
    name = "debezium"
    tuned = {"producer.override.linger.ms": "20", "producer.override.batch.size": "1048576",
             "producer.override.buffer.memory": "134217728"}

    def __init__(self, peers, folder):
        self.peers, self.folder = peers, folder
        self.kafka = brokers.Kafka(f"{folder}/kafka", f"{peers}/kafka")
        self.rest, self.worker = brokers.free_port(), None

    @staticmethod
    def why_not(peers):
        if not peers or not glob.glob(f"{peers}/debezium/debezium-connector-postgres-*.jar"):
            return "PEERS does not name a folder with kafka/ and debezium/"
        return brokers.Kafka.why_not(f"{peers}/kafka")

    def __enter__(self):
        self.kafka.start()
        os.makedirs(f"{self.folder}/plugins")
        os.symlink(f"{self.peers}/debezium", f"{self.folder}/plugins/debezium")
        with open(f"{self.folder}/worker.properties", "w", encoding="ascii") as file:
            file.write(CONNECT.format(port=self.kafka.port, rest=self.rest, folder=self.folder))
        with open(f"{self.folder}/worker.log", "wb") as log:
            self.worker = subprocess.Popen(
                ["java", "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                 f"-Dlog4j2.configurationFile={self.kafka.folder}/log4j2.properties", "-cp",
                 f"{self.peers}/kafka/*", "org.apache.kafka.connect.cli.ConnectStandalone",
                 f"{self.folder}/worker.properties"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while self.call("GET", "/") is None:
            if self.worker.poll() is not None:
                raise SystemExit(f"Kafka Connect ended by itself: see {self.folder}/worker.log")
            time.sleep(0.1)
        return self

    def __exit__(self, *what):
        if self.worker is not None and self.worker.poll() is None:
            self.worker.send_signal(signal.SIGTERM)
            self.worker.wait(60)
        self.kafka.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.kafka.port}"

    def call(self, method, path, body=None):
        """The answer; None while nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest}{path}",
                                         json.dumps(body).encode() if body else None, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            if path == "/":
                return None  # It has not deployed its REST interface yet.
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None
        except OSError:
            return None
        return json.loads(text) if text else {}

    def tool(self, *words):
        subprocess.run(self.kafka.java + ["org.apache.kafka.tools.TopicCommand", "--bootstrap-server",
                                          self.bootstrap, *words], check=True, capture_output=True)

    def create_topic(self, name):
        self.tool("--create", "--topic", name, "--partitions", "1")

    def delete_topic(self, name):
        self.tool("--delete", "--topic", name)

    def pids(self, _):
        return self.worker.pid, self.kafka.pid

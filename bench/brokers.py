"""The subjects of bench/broker.py: Sluice's broker, Apache Kafka's, and the floor that no broker can pass.

Each is a process on 127.0.0.1 at a free port with its data below one folder, and says what it costs:
CPU seconds, memory, wake-ups, all from /proc.
"""
import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")
METADATA = struct.pack(">hhih4si", 3, 1, 1, 4, b"load", 0)  # Of no topic.


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    """Whether a broker at `port` answers a Metadata request."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(struct.pack(">i", len(METADATA)) + METADATA)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


class Subject:
    """A server process: `name`, `port`, `pid`."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.process, self.port = None, None
        os.makedirs(folder, exist_ok=True)

    @property
    def pid(self):
        return self.process.pid

    def run(self, command, **more):
        with open(f"{self.folder}/log", "ab") as log:
            more = {"stdin": subprocess.DEVNULL, "stdout": log, **more}
            self.process = subprocess.Popen(command, stderr=log, **more)

    def await_answer(self, seconds):
        """Seconds from now until the broker answers."""
        began = time.monotonic()
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() - began > seconds:
                raise SystemExit(f"{self.name} does not answer: see {self.folder}/log")
            time.sleep(0.0002)
        return time.monotonic() - began

    def stop(self, how=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def memory_mb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def wake_ups(self):
        """How often threads have gone to sleep so far, of their own will."""
        count = 0
        for path in glob.glob(f"/proc/{self.pid}/task/*/status"):
            with open(path, encoding="ascii") as status:
                count += next(int(line.split()[1]) for line in status
                              if line.startswith("voluntary_ctxt_switches"))
        return count


class Sluice(Subject):
    def __init__(self, folder, program):
        super().__init__("sluice", folder)
        self.program = program

    def start(self):
        """Seconds from exec to the first answer."""
        self.port = self.port or free_port()
        began = time.monotonic()
        self.run([self.program, "broker", "-o", f"log.dirs={self.folder}/data",
                  "-o", "log.segment.delete.delay.ms=1000",
                  "-o", f"listeners=PLAINTEXT://127.0.0.1:{self.port}"])
        self.await_answer(60)
        return time.monotonic() - began


LOG4J = """
status = error
appender.file.type = Console
appender.file.name = file
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
log.segment.delete.delay.ms=1000
"""


class Kafka(Subject):
    """Apache Kafka, one KRaft node with a heap of 1 GB: `libs` is its folder of jars."""

    def __init__(self, folder, libs):
        super().__init__("kafka", folder)
        libs = f"{libs}/libs" if os.path.isdir(f"{libs}/libs") else libs
        self.java = ["java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                     "-XX:InitiatingHeapOccupancyPercent=35",
                     f"-Dlog4j2.configurationFile={folder}/log4j2.properties", "-cp", f"{libs}/*"]

    @staticmethod
    def why_not(libs):
        """Why Apache Kafka cannot run here, or None."""
        if not libs:
            return "its folder was not given (--kafka DIR)"
        if shutil.which("java") is None:
            return "there is no java"
        if not glob.glob(f"{libs}/kafka_*.jar") and not glob.glob(f"{libs}/libs/kafka_*.jar"):
            return f"'{libs}' has no kafka_*.jar"
        return None

    def format(self):
        with open(f"{self.folder}/log4j2.properties", "w", encoding="ascii") as file:
            file.write(LOG4J)
        with open(f"{self.folder}/server.properties", "w", encoding="ascii") as file:
            file.write(PROPERTIES.format(port=self.port, controller=free_port(), folder=self.folder))
        storage = self.java + ["kafka.tools.StorageTool"]
        cluster = subprocess.run(storage + ["random-uuid"], check=True, capture_output=True, text=True)
        subprocess.run(storage + ["format", "-t", cluster.stdout.split()[-1], "-c",
                                  f"{self.folder}/server.properties"], check=True, capture_output=True)

    def start(self):
        if self.port is None:
            self.port = free_port()
            self.format()
        began = time.monotonic()
        self.run(self.java + ["kafka.Kafka", f"{self.folder}/server.properties"])
        self.await_answer(60)
        return time.monotonic() - began


class Floor(Subject):
    """bench-load floor: receive, CRC, write into the page cache (and fdatasync), answer."""

    def __init__(self, folder, load, sync):
        super().__init__("floor", folder)
        self.load, self.sync = load, sync

    def start(self):
        self.run([self.load, "floor", "port=0", f"folder={self.folder}", f"sync={int(self.sync)}"],
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return 0.0

"""Kafka's own tools and ours, run side by side on our broker and on Apache Kafka.

    with ToolPeers(program, libs) as peers:
        peers.compare("kafka-topics --create --topic x@ --partitions 3")
        peers.compare(r"kafka-console-producer --topic x@ <<< one\\ntwo\\n")

A line is run twice, by the Java tool and by ours. '@' in a name stands for JAVA and OURS, so
that each has topics and groups of its own; what differs from run to run is masked. FILES is a
folder with the files of both, LOGS the folder of the broker's log. Behind '~ ' stands a
command whose lines come in the order of a hash table: they are compared sorted.
"""
import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "bench"))

from brokers import Kafka
from running_broker import RunningBroker

RUN_TOOLS = os.path.join(HERE, "..", "integration", "RunTools.java")
CLASSES = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-dump-log": "kafka.tools.DumpLogSegments",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
}
OWN = ("JAVA", "OURS")


def why_not(libs):
    """Why Apache Kafka's tools cannot be had here, or None."""
    reason = Kafka.why_not(libs)
    return reason and reason.replace("--kafka DIR", "KAFKA=DIR")


class JavaTools:
    """Kafka's tools in one JVM."""

    def __init__(self, libs, folder):
        settings = os.path.join(folder, "log4j2.properties")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("rootLogger.level=OFF\n")
        self.process = subprocess.Popen(
            ["java", "-Xmx300m", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={settings}",
             "-cp", f"{libs}/*:{libs}/libs/*", RUN_TOOLS],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, tool, words, given):
        self.process.stdin.write("\1".join([CLASSES[tool], *words]) + "\2"
                                 + base64.b64encode(given.encode()).decode() + "\n")
        self.process.stdin.flush()
        text = ""
        while not text.endswith("\4\n"):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the Java tools ended: {text}")
            text += line
        status, out, error = text[text.index("\2") + 1:text.rindex("\4")].split("\3")
        return int(status), out, error

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def masked(text, own):
    text = text.replace(own, "@").replace(OWN[own == OWN[0]], "&")
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID", text)
    text = re.sub(r"\b(\w+Time): ?\d{13}\b", r"\1:TIME", text)
    text = re.sub(r"(are: )(.*)", lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), text)
    text = re.sub(r"\b1[67]\d{11}\b", "TIME", re.sub(r"\bcrc: \d+", "crc: CRC", text))
    return re.sub(r"(TopicId|Cluster ID): [\w-]{22}", r"\1: ID", text)


def told(error, out):
    """The first line of errors, without what only a log has, or what a stack trace repeats."""
    lines = [line for line in error.splitlines()
             if line and not re.match(r"\[\d{4}-| \(org\.apache|\tat | at \[Source|com\.fasterxml", line)]
    first = lines[0] if lines else ""
    again = re.match(r"[\w.$]+(Exception|Error): (.*)", first)
    return "" if again and again[2].split("Exception: ")[-1] in out else first


def comparable(result, own, in_order):
    """Status, output and error, each owner's alike."""
    status, out, error = result
    text = masked(out, own)
    if not in_order:
        text = "\n".join(sorted(text.split("\n")))
    return status, text, masked(told(error, out), own)


class Place:
    """A broker, the Java tools, and files for both."""

    def __init__(self, name, program, address, logs, folder, java):
        self.name, self.program, self.address, self.logs = name, program, address, logs
        self.folder, self.java = folder, java

    def write(self, files):
        for own in OWN:
            os.makedirs(os.path.join(self.folder, own), exist_ok=True)
            for name, text in files.items():
                with open(os.path.join(self.folder, own, name), "w", encoding="utf-8") as file:
                    file.write(text.replace("@", own).replace("ADDRESS", self.address))

    def words(self, line, own):
        for name, text in (("FILES", f"{self.folder}/{own}"), ("LOGS", self.logs), ("@", own)):
            line = line.replace(name, text)
        line, *given = line.split(" <<< ")
        tool, *words = shlex.split(line)
        if tool != "kafka-dump-log":
            words += ["--bootstrap-server", self.address]
        return tool, words, "".join(given).replace("\\n", "\n").replace("\\t", "\t")

    def ours(self, tool, words, given):
        command = [os.path.join(os.path.dirname(self.program), tool), *words]
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=30)
        except subprocess.TimeoutExpired as expired:
            return None, (expired.stdout or b"").decode(), "it did not end within 30 s"
        return done.returncode, done.stdout, done.stderr

    def differences(self, commands):
        found = []
        for line in filter(None, (line.strip() for line in commands.splitlines())):
            in_order, line = not line.startswith("~ "), line.removeprefix("~ ")
            java = comparable(self.java.run(*self.words(line, "JAVA")), "JAVA", in_order)
            own = "JAVA" if line.startswith("kafka-dump-log") else "OURS"  # The same files.
            ours = comparable(self.ours(*self.words(line, own)), own, in_order)
            if java != ours:
                found.append(f"on {self.name}: {line}\n  Java: {java}\n  ours: {ours}")
        return found

    def fill(self, topic):
        """For both a topic of three partitions, with forty records in the first."""
        for own in OWN:
            name, lines = topic + own, "".join(f"{number}\n" for number in range(40))
            for words in (["topics", "create", name, "--partitions", "1"], ["produce", name],
                          ["topics", "alter", name, "--partitions", "3"]):
                subprocess.run([self.program, *words, "--bootstrap-server", self.address],
                               input=lines, stdout=subprocess.DEVNULL, text=True, check=True)


class ToolPeers:
    def __init__(self, program, libs):
        self.program, self.libs = program, libs
        self.folder = self.broker = self.kafka = self.java = None
        self.places = []

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-tools-")
        os.mkdir(f"{self.folder}/kafka")
        self.java = JavaTools(self.libs, self.folder)
        self.broker = RunningBroker(self.program)
        self.kafka = Kafka(f"{self.folder}/kafka", self.libs)
        self.kafka.start()
        self.places = [
            Place("ours", self.program, self.broker.address,
                  os.path.join(self.broker.folder, "data"), f"{self.folder}/a", self.java),
            Place("Apache Kafka", self.program, f"127.0.0.1:{self.kafka.port}",
                  f"{self.folder}/kafka/data", f"{self.folder}/b", self.java)]

    def stop(self):
        if self.java:
            self.java.stop()
        if self.broker:
            self.broker.__exit__(None, None, None)
        if self.kafka:
            self.kafka.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.folder:
            self.stop()

    def compare(self, commands, topics=(), files=None):
        """Runs them on both brokers; `topics` are filled before, `files` written. The first
        time it starts the brokers. Raises AssertionError with all the differences."""
        if not self.folder:
            self.start()
        found = []
        for place in self.places:
            place.write(files or {})
            for topic in topics:
                place.fill(topic)
            found += place.differences(commands)
        if found:
            raise AssertionError("\n".join(found))

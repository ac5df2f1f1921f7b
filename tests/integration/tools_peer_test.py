"""Kafka's own tools and ours side by side, line by line: on our broker, and on Apache Kafka.
Skipped unless KAFKA names the folder of Apache Kafka's jars, and there is java.

usage: KAFKA=DIR tools_peer_test.py PROGRAM [WORD…]

A line of commands is run twice, by the Java tool and by ours. '@' in a name stands for
JAVA and OURS, so that each has topics of its own; ids are masked.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "..", "bench")]

from brokers import Kafka
from running_broker import RunningBroker
from tap import Skip, main, test

PROGRAM = os.path.abspath(sys.argv[1])
LIBS = os.environ.get("KAFKA")
CLASSES = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
}
FILES = {
    "good.json": '{"partitions":[{"topic":"T@","partition":0,"offset":3}],"version":1}',
    "far.json": '{"partitions":[{"topic":"T@","partition":0,"offset":300}],"version":1}',
    "twice.json": '{"partitions":[{"topic":"t","partition":0,"offset":3},'
                  '{"topic":"t","partition":0,"offset":3}]}',
    "fieldless.json": '{"partitions":[{"topic":"t","partition":0}]}',
    "none.json": "xx",
    "elect.json": '{"partitions":[{"topic":"T@","partition":0},{"topic":"nope","partition":1}]}',
    "add.properties": "segment.bytes=5000000\nmax.message.bytes=6000\n",
}


def reason_for_none():
    reason = Kafka.why_not(LIBS)
    return reason and reason.replace("--kafka DIR", "KAFKA=DIR")


class JavaTools:
    def __init__(self, folder):
        settings = os.path.join(folder, "log4j2.properties")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("rootLogger.level=OFF\n")
        self.process = subprocess.Popen(
            ["java", "-Xmx300m", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={settings}",
             "-cp", f"{LIBS}/*:{LIBS}/libs/*", os.path.join(HERE, "RunTools.java")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, tool, words):
        self.process.stdin.write("\1".join([CLASSES[tool], *words]) + "\n")
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


def run_ours(tool, words):
    done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), tool), *words],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def masked(text, own):
    text = text.replace(own, "@")
    return re.sub(r"TopicId: [\w-]{22}", "TopicId: ID", text)


def comparable(result, own):
    """Status, output, and the first line of errors, without what only a log has."""
    status, out, error = result
    lines = [line for line in error.splitlines() if not re.match(r"\[\d{4}-| \(org\.apache", line)]
    return status, masked(out, own), masked(lines[0] if lines else "", own)


class Peers:
    """A broker (ours, or Apache Kafka's), the Java tools, and files for both."""

    def __init__(self, address, folder):
        self.address, self.folder = address, folder
        self.java = JavaTools(folder)
        for own in ("JAVA", "OURS"):
            os.makedirs(os.path.join(folder, own), exist_ok=True)
            for name, text in FILES.items():
                with open(os.path.join(folder, own, name), "w", encoding="utf-8") as file:
                    file.write(text.replace("@", own))

    def words(self, line, own):
        line = line.replace("FILES", f"{self.folder}/{own}").replace("@", own)
        tool, *words = shlex.split(line)
        return tool, [*words, "--bootstrap-server", self.address]

    def differences(self, commands):
        found = []
        for line in filter(None, (line.strip() for line in commands.splitlines())):
            java = comparable(self.java.run(*self.words(line, "JAVA")), "JAVA")
            ours = comparable(run_ours(*self.words(line, "OURS")), "OURS")
            if java != ours:
                found.append(f"{line}\n  Java: {java}\n  ours: {ours}")
        return found

    def fill(self):
        for own in ("JAVA", "OURS"):
            topic, lines = f"T{own}", "".join(f"{number}\n" for number in range(40))
            for words in (["topics", "create", topic, "--partitions", "1"], ["produce", topic],
                          ["topics", "alter", topic, "--partitions", "3"]):
                subprocess.run([PROGRAM, *words, "--bootstrap-server", self.address], input=lines,
                               stdout=subprocess.DEVNULL, text=True, check=True)


def compare(commands):
    """Runs the commands on our broker and on Apache Kafka."""
    reason = reason_for_none()
    if reason is not None:
        raise Skip(f"Apache Kafka cannot be had: {reason}")
    found = []
    for which in ("ours", "Apache Kafka"):
        folder = tempfile.mkdtemp(prefix="sluice-tools-")
        kafka = None
        ours = None
        try:
            if which == "ours":
                ours = RunningBroker(PROGRAM)
            else:
                os.mkdir(f"{folder}/kafka")
                kafka = Kafka(f"{folder}/kafka", LIBS)
                kafka.start()
            peers = Peers(ours.address if ours else f"127.0.0.1:{kafka.port}", folder)
            try:
                peers.fill()
                found += [f"on {which}: {text}" for text in peers.differences(commands)]
            finally:
                peers.java.stop()
        finally:
            if ours:
                ours.__exit__(None, None, None)
            if kafka:
                kafka.stop()
            shutil.rmtree(folder, ignore_errors=True)
    if found:
        raise AssertionError("\n".join(found))


@test
def the_tools_say_the_same_as_kafkas():
    compare("""
kafka-topics --create --topic x@ --partitions 3 --config retention.ms=1000 --config segment.bytes=2000000
kafka-topics --create --topic x@
kafka-topics --create --topic x@ --if-not-exists
kafka-topics --create --topic a_b.c@
kafka-topics --create --topic z@ --replica-assignment 1,1,1
kafka-topics --create --topic y --replica-assignment 1:1
kafka-topics --create --topic y --replica-assignment a,b
kafka-topics --create --topic y --replica-assignment 1,1 --partitions 2
kafka-topics --create --topic y --partitions 0
kafka-topics --create --topic y --replication-factor 0
kafka-topics --create --topic y --replication-factor 99999
kafka-topics --create --topic y --config foo
kafka-topics --create
kafka-topics
kafka-topics --list --create
kafka-topics --list --topic z@
kafka-topics --list --topic nope
kafka-topics --list --topic nope --if-exists
kafka-topics --list --partitions 3
kafka-topics --describe --topic x@
kafka-topics --describe --topic z@ --topics-with-overrides
kafka-topics --describe --topic nope
kafka-topics --describe --topic nope --if-exists
kafka-topics --describe --under-replicated-partitions
kafka-topics --describe --unavailable-partitions
kafka-topics --describe --under-min-isr-partitions
kafka-topics --describe --at-min-isr-partitions --topic z@
kafka-topics --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ
kafka-topics --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ --if-exists
kafka-topics --alter --topic x@ --partitions 5
kafka-topics --alter --topic nope --partitions 2
kafka-topics --alter --topic nope --partitions 2 --if-exists
kafka-topics --alter --topic x@ --config a=b
kafka-topics --alter --topic x@
kafka-topics --alter --partitions 4
kafka-topics --alter --topic z@ --replica-assignment 1,1,1,1 --partitions 4
kafka-topics --describe --topic z@
kafka-topics --delete --topic nope
kafka-topics --delete --topic nope --if-exists
kafka-topics --delete
kafka-topics --delete --topic z@
kafka-topics --foo
kafka-configs --describe --entity-type topics --entity-name x@
kafka-configs --describe --topic nope
kafka-configs --alter --topic T@ --add-config segment.bytes=3000000,cleanup.policy=[compact,delete]
kafka-configs --describe --topic T@
kafka-configs --alter --topic T@ --delete-config cleanup.policy
kafka-configs --alter --topic T@ --delete-config cleanup.policy,foo
kafka-configs --alter --topic T@ --add-config foo
kafka-configs --alter --topic T@
kafka-configs --alter --topic T@ --add-config-file FILES/add.properties
kafka-configs --alter --topic T@ --add-config-file FILES/add.properties --add-config a=b
kafka-configs --describe --topic T@
kafka-configs --describe --broker 1
kafka-configs --describe --broker 7
kafka-configs --describe --broker x
kafka-configs --alter --broker x --add-config a=b
kafka-configs --describe --entity-type foo
kafka-configs --describe
kafka-configs --describe --alter --topic T@
kafka-configs --alter --add-config a=b
kafka-configs --alter --entity-type topics --add-config a=b
kafka-configs --alter --user u --add-config foo=1
kafka-configs --alter --client c --add-config foo=1
kafka-configs --describe --entity-type broker-loggers
kafka-configs --describe --entity-type topics --entity-type topics --entity-name T@
kafka-configs --describe --topic T@ --broker 1
kafka-configs --describe --topic T@ --add-config a=b
kafka-configs --describe --entity-name T@
kafka-configs --describe --entity-type topics --entity-default
kafka-get-offsets --topic T@
kafka-get-offsets --topic T@ --time -2
kafka-get-offsets --topic T@ --time earliest
kafka-get-offsets --topic T@ --time max-timestamp
kafka-get-offsets --topic T@ --time 9999999999999
kafka-get-offsets --topic T@ --time 5
kafka-get-offsets --topic T@ --time foo
kafka-get-offsets --topic nope
kafka-get-offsets --topic T@ --partitions 0,2
kafka-get-offsets --topic T@ --partitions 1-
kafka-get-offsets --topic T@ --partitions 9
kafka-get-offsets --topic-partitions T@:0,T@:2-4
kafka-get-offsets --topic-partitions T@:0-2
kafka-get-offsets --topic-partitions T@:0 --topic T@
kafka-get-offsets --topic-partitions T@:x
kafka-delete-records --offset-json-file FILES/good.json
kafka-delete-records --offset-json-file FILES/far.json
kafka-delete-records --offset-json-file FILES/twice.json
kafka-delete-records --offset-json-file FILES/fieldless.json
kafka-delete-records --offset-json-file FILES/none.json
kafka-delete-records --offset-json-file FILES/nope.json
kafka-delete-records
kafka-get-offsets --topic T@ --time earliest
kafka-log-dirs
kafka-log-dirs --describe --broker-list 1,7
kafka-log-dirs --describe --broker-list x
kafka-broker-api-versions
kafka-leader-election --election-type preferred --topic T@ --partition 0
kafka-leader-election --election-type unclean --topic T@ --partition 0
kafka-leader-election --election-type preferred --all-topic-partitions
kafka-leader-election --election-type foo --all-topic-partitions
kafka-leader-election --election-type preferred
kafka-leader-election --election-type preferred --topic T@
kafka-leader-election --election-type preferred --topic T@ --partition 0 --all-topic-partitions
kafka-leader-election --all-topic-partitions
""")


main(sys.argv[2:])

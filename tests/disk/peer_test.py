"""The same with a running Apache Kafka: its folders are read by us, and ours by it and by its
kafka-dump-log. Skipped unless KAFKA names its folder of jars, and there is java.

usage: KAFKA=DIR peer_test.py SLUICE [WORD…]
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "..", "bench")]

from brokers import Kafka  # noqa: E402
from running_broker import RunningBroker  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

PROGRAM = sys.argv[1]
LIBS = os.environ.get("KAFKA")
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
FORM = "%p %o %T %k %s %h\n"


def kcat(address, *words, lines=None):
    ran = subprocess.run(["kcat", "-b", address, *words], capture_output=True, text=True, timeout=120,
                         input=None if lines is None else "".join(f"{line}\n" for line in lines),
                         check=False)
    if ran.returncode != 0:
        raise AssertionError(f"kcat {words}: {ran.stderr[:500]}")
    return ran.stdout.splitlines()


def produce(address, topic):
    for codec in CODECS:
        kcat(address, "-P", "-t", topic, "-p", "0", "-z", codec, "-K", ":", "-H", f"codec={codec}",
             "-X", "enable.idempotence=true", "-X", "batch.num.messages=20",
             lines=[f"{codec}{i}:{'value ' * (i % 40)}" for i in range(200)])


def read_all(address, topic):
    return kcat(address, "-C", "-t", topic, "-p", "0", "-e", "-q", "-f", FORM)


class Peers:
    """A folder with an Apache Kafka that has the topic 'theirs', and a broker of ours with 'ours'."""

    def __enter__(self):
        reason = Kafka.why_not(LIBS)
        if reason is not None:
            raise Skip(f"Apache Kafka cannot be had: {reason}".replace("--kafka DIR", "KAFKA=DIR"))
        self.folder = tempfile.mkdtemp(prefix="sluice-peers-")
        os.mkdir(f"{self.folder}/kafka")
        self.kafka = Kafka(f"{self.folder}/kafka", LIBS)
        self.ours = RunningBroker(PROGRAM, {"log.segment.bytes": "9000", "log.index.interval.bytes": "200"})
        self.our_data, self.their_data = f"{self.ours.folder}/data", f"{self.folder}/kafka/data"
        return self

    def __exit__(self, *how):
        self.kafka.stop()
        self.ours.__exit__(*how)
        shutil.rmtree(self.folder, ignore_errors=True)

    def their_address(self):
        return f"127.0.0.1:{self.kafka.port}"


@test
def folders_move_between_apache_kafka_and_us():
    with Peers() as peers:
        peers.kafka.start()
        produce(peers.their_address(), "theirs")
        kcat(peers.their_address(), "-P", "-t", "ours", "-p", "0", lines=["one that is replaced"])
        theirs = read_all(peers.their_address(), "theirs")
        check_equal(len(theirs), 1000)
        peers.kafka.stop()

        produce(peers.ours.address, "ours")
        ours = read_all(peers.ours.address, "ours")
        check_equal(len(ours), 1000)
        check_equal(peers.ours.stop(), 0)

        shutil.copytree(f"{peers.their_data}/theirs-0", f"{peers.our_data}/theirs-0")
        peers.ours.start()
        check_equal(read_all(peers.ours.address, "theirs"), theirs)

        metadata = f"{peers.their_data}/ours-0/partition.metadata"
        with open(metadata, encoding="ascii") as file:
            identity = file.read()
        shutil.rmtree(f"{peers.their_data}/ours-0")
        shutil.copytree(f"{peers.our_data}/ours-0", f"{peers.their_data}/ours-0")
        with open(metadata, "w", encoding="ascii") as file:
            file.write(identity)
        peers.kafka.start()
        check_equal(read_all(peers.their_address(), "ours"), ours)


@test
def apache_kafkas_dump_tool_reads_all_files_of_ours():
    with Peers() as peers:
        produce(peers.ours.address, "ours")
        check_equal(peers.ours.stop(), 0)
        data = f"{peers.our_data}/ours-0"
        names = sorted(os.listdir(data))
        for suffix in ("log", "index", "timeindex", "snapshot"):
            files = [f"{data}/{name}" for name in names if name.endswith(f".{suffix}")]
            assert len(files) > 3, names
            ran = subprocess.run(
                [*peers.kafka.java, "kafka.tools.DumpLogSegments", "--print-data-log", "--files",
                 ",".join(files)], capture_output=True, text=True, timeout=120, check=False)
            bad = [line for line in (ran.stdout + ran.stderr).splitlines()
                   if "ismatch" in line or "Exception" in line or "isvalid: false" in line
                   or "invalid bytes" in line or "Corrupt" in line]
            check_equal((ran.returncode, bad), (0, []))
            if suffix == "log":
                check_equal(ran.stdout.count("| offset:"), 1000)
            elif suffix == "snapshot":
                check_equal("producerId:" in ran.stdout, True)
            else:
                assert ran.stdout.count("offset:") > 0, ran.stdout[:2000]


main(sys.argv[2:])

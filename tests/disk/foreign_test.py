"""Data moves between Apache Kafka and us: folders of a topic of Apache Kafka are read where they are
copied, and Apache Kafka's own tool reads ours.

usage: foreign_test.py SLUICE LIBRARY [WORD…]
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

try:
    import kafka
    from wire import Client, batch
except ImportError:
    kafka = None
from running_broker import RunningBroker  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

PROGRAM = sys.argv[1]
FIXTURE = os.path.join(HERE, "kafka-data")
FORM = "%p %o %T %k %s %h\n"


def read_all(address, topic):
    ran = subprocess.run(["kcat", "-b", address, "-C", "-t", topic, "-e", "-q", "-f", FORM],
                         capture_output=True, text=True, timeout=120, check=True)
    return sorted(ran.stdout.splitlines(), key=lambda line: [int(n) for n in line.split()[:2]])


def expected():
    with open(os.path.join(FIXTURE, "expected.txt"), encoding="utf-8") as file:
        return file.read().splitlines()


class Found:
    """A broker that finds the fixture's folders, or some of them, beside its own topics."""

    def __init__(self, *names, change=lambda folder: None):
        if kafka is None:
            raise Skip("python3-kafka is not installed")
        self.broker = RunningBroker(PROGRAM, {"offsets.topic.num.partitions": "1"})
        self.data = os.path.join(self.broker.folder, "data")
        check_equal(Client(self.broker.address).create_topic("own"), 0)
        check_equal(self.broker.stop(), 0)
        for name in names or ("foreign-0", "foreign-1"):
            shutil.copytree(os.path.join(FIXTURE, name), os.path.join(self.data, name))
        change(self.data)
        self.broker.start()

    def __enter__(self):
        return self.broker

    def __exit__(self, *how):
        self.broker.__exit__(*how)


@test
def a_topic_of_apache_kafka_is_found_where_it_was_copied():
    with Found() as broker:
        client = Client(broker.address)
        check_equal(sorted(client.topics()), ["__consumer_offsets", "foreign", "own"])
        check_equal(read_all(broker.address, "foreign"), expected())
        check_equal(client.config("foreign", "retention.ms"), "-1")
        for _ in range(2):
            broker.crash()
            broker.start()
            check_equal(read_all(broker.address, "foreign"), expected())
        check_equal(broker.stop(), 0)
        broker.start()
        check_equal(read_all(broker.address, "foreign"), expected())


@test
def a_found_topic_is_written_on():
    with Found() as broker:
        client = Client(broker.address)
        # Every producer id of ours is one that Apache Kafka's records do not have.
        for number in range(12):
            error, producer_id, epoch = client.init_producer_id()
            check_equal(error, 0)
            check_equal(client.produce("foreign", 0, batch([b"more"], producer_id, epoch, 0)),
                        (0, 30 + number))
        broker.crash()
        broker.start()
        client = Client(broker.address)
        check_equal([value for _, value, _ in client.read("foreign", 0, 30)], [b"more"] * 12)
        error, producer_id, epoch = client.init_producer_id()
        check_equal(client.produce("foreign", 0, batch([b"more"], producer_id, epoch, 0)), (0, 42))


@test
def a_partition_that_was_not_copied_is_empty():
    with Found("foreign-1") as broker:
        check_equal(read_all(broker.address, "foreign"), expected()[-3:])
        check_equal(sorted(Client(broker.address).topics()["foreign"]), [0, 1])


@test
def a_found_topic_that_is_deleted_stays_deleted():
    with Found() as broker:
        check_equal(Client(broker.address).delete_topic("foreign"), 0)
        broker.crash()
        shutil.copytree(os.path.join(FIXTURE, "foreign-0"),
                        os.path.join(broker.folder, "data", "foreign-0"))
        broker.start()
        check_equal(sorted(Client(broker.address).topics()), ["__consumer_offsets", "own"])
        names = os.listdir(os.path.join(broker.folder, "data"))
        check_equal(sum(name.startswith("foreign-0.") and name.endswith("-stray")
                        for name in names), 1)


@test
def folders_that_cannot_be_taken_over_are_left_as_they_are():
    def spoil(data):
        os.remove(f"{data}/foreign-0/partition.metadata")
        with open(f"{data}/foreign-1/00000000000000000000.log", "r+b") as log:
            log.seek(16)
            log.write(b"\1")
    with Found(change=spoil) as broker:
        check_equal(sorted(Client(broker.address).topics()), ["__consumer_offsets", "own"])
        log = broker.log()
        for words in ("foreign-0' has no partition.metadata", "has records of the format 1"):
            check_equal(words in log, True)
        data = os.path.join(broker.folder, "data")
        check_equal(os.path.getsize(f"{data}/foreign-1/00000000000000000000.log"), 106)
        check_equal(sorted(os.listdir(f"{data}/foreign-0")),
                    [n for n in sorted(os.listdir(f"{FIXTURE}/foreign-0")) if "metadata" not in n])


main(sys.argv[3:])

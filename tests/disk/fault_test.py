"""The disk fails: it is full, read-only, or gives EIO, for one partition or for all. Who is affected
gets Kafka's error, the rest is served, the log says so once, and all recovers.

usage: fault_test.py SLUICE LIBRARY [WORD…]
"""
import os
import random as random_module
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

try:
    import kafka
    from wire import Client, batch
except ImportError:
    kafka = None
from preload import DiskBroker  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

PROGRAM, LIBRARY = sys.argv[1:3]
SEED = int(os.environ.get("SEED", random_module.SystemRandom().randrange(10 ** 6)))
SETTINGS = {"offsets.topic.num.partitions": "1"}
STORAGE_ERROR, NOT_COORDINATOR = 56, 16


class Case:
    """A broker with the topics 'a' and 'b', of which 'a' has five records already."""

    def __init__(self, sync_us=0, **settings):
        if kafka is None:
            raise Skip("python3-kafka is not installed")
        self.broker = DiskBroker(PROGRAM, LIBRARY,
                                 {**SETTINGS, **{k.replace("_", "."): v for k, v in settings.items()}},
                                 sync_us=sync_us)

    def __enter__(self):
        self.client = Client(self.broker.address)
        for name in ("a", "b"):
            check_equal(self.client.create_topic(name), 0)
        self.kept = {"a": [], "b": []}
        self.produces("a", 5)
        return self

    def __exit__(self, *how):
        self.client.close()
        self.broker.__exit__(*how)

    def produce(self, topic, count=1, acks=-1):
        values = [f"{topic}{len(self.kept[topic]) + i}".encode() for i in range(count)]
        error, offset = self.client.produce(topic, 0, batch(values), acks)
        if error == 0:
            check_equal(offset, len(self.kept[topic]))
            self.kept[topic] += values
        return error

    def produces(self, topic, count=1, acks=-1):
        check_equal(self.produce(topic, count, acks), 0)

    def refuses(self, topic, acks=-1):
        check_equal(self.produce(topic, 3, acks), STORAGE_ERROR)

    def has_all(self, topic):
        check_equal([value for _, value, _ in self.client.read(topic, 0)], self.kept[topic])

    def serves(self, *topics):
        for topic in topics:
            self.produces(topic)
            self.has_all(topic)

    def restart(self, kill=False):
        self.client.close()
        if kill:
            self.broker.crash()
        else:
            check_equal(self.broker.stop(), 0)
        self.broker.start()
        self.client = Client(self.broker.address)

    def said(self, *words):
        """How many lines of the log have all these words."""
        return sum(all(word in line for word in words) for line in self.broker.log().splitlines())


@test
def a_partition_on_a_full_disk_refuses_and_the_others_are_served():
    with Case() as case:
        case.broker.fail("write ENOSPC 70 */a-0/*.log")
        for _ in range(5):
            case.refuses("a")
        case.serves("b")
        case.has_all("a")
        check_equal(case.said("'a-0'", "No space left on device", "KAFKA_STORAGE_ERROR"), 1)
        case.broker.mend()
        case.serves("a", "b")
        check_equal(case.said(" INFO ", "'a-0'", "takes records again"), 1)
        case.restart()
        case.serves("a", "b")


@test
def a_write_that_ends_at_any_byte_leaves_no_trace():
    choose = random_module.Random(SEED)
    print(f"# seed {SEED}")
    with Case() as case:
        size = len(batch([b"a0", b"a1", b"a2"]))
        for position in sorted({0, 1, 60, 61, size - 1, *(choose.randrange(size) for _ in range(8))}):
            case.broker.fail(f"write ENOSPC {position} */a-0/*.log")
            case.refuses("a")
            if choose.random() < 0.3:
                case.broker.mend()
                case.restart(kill=True)
                case.has_all("a")
            case.broker.mend()
            case.serves("a")
        case.broker.fail(f"write ENOSPC {size // 2} */a-0/*.log", "cut EIO 0 */a-0/*.log")
        case.refuses("a")
        case.broker.mend()
        case.restart(kill=True)
        case.serves("a", "b")


@test
def what_a_failed_write_left_is_cut_off_when_the_disk_lets_it():
    with Case() as case:
        case.broker.fail("write EIO 50 */a-0/*.log", "cut EIO 0 */a-0/*.log")
        case.refuses("a")
        case.broker.fail("cut EIO 0 */a-0/*.log")
        case.refuses("a")
        case.has_all("a")
        case.broker.mend()
        case.serves("a", "b")
        case.restart()
        case.serves("a", "b")


@test
def on_a_full_disk_everything_is_refused_and_everything_recovers():
    with Case() as case:
        client = case.client
        check_equal(client.commit("g", "a", 0, 3), 0)
        case.broker.fail("write ENOSPC 0 *", "open ENOSPC 0 *", "name ENOSPC 0 *")
        case.refuses("a")
        case.refuses("b", acks=1)
        check_equal(client.create_topic("c"), STORAGE_ERROR)
        check_equal(client.delete_topic("b"), STORAGE_ERROR)
        check_equal(client.alter_configs("a", {"retention.ms": 5}), STORAGE_ERROR)
        check_equal(client.commit("g", "a", 0, 4), NOT_COORDINATOR)
        check_equal(client.committed("g", "a", 0), (0, 3))
        case.has_all("a")
        check_equal(sorted(client.topics()), ["__consumer_offsets", "a", "b"])
        case.broker.mend()
        case.serves("a", "b")
        check_equal(client.create_topic("c"), 0)
        check_equal(client.alter_configs("a", {"retention.ms": 100000}), 0)
        check_equal(client.commit("g", "a", 0, 5), 0)
        check_equal(client.delete_topic("b"), 0)
        case.restart(kill=True)
        check_equal(sorted(case.client.topics()), ["__consumer_offsets", "a", "c"])
        check_equal(case.client.committed("g", "a", 0), (0, 5))
        check_equal(case.client.config("a", "retention.ms"), "100000")
        case.serves("a")


@test
def a_topic_whose_creation_failed_can_be_created():
    with Case() as case:
        case.broker.fail("name ENOSPC 0 */c-0")  # Its folder; the metadata log works.
        check_equal(case.client.create_topic("c"), STORAGE_ERROR)
        case.broker.fail("name ENOSPC 0 */c-0", "write ENOSPC 200 *__cluster_metadata*")
        check_equal(case.client.create_topic("c"), STORAGE_ERROR)
        case.broker.mend()
        check_equal(case.client.create_topic("c"), 0)
        case.kept["c"] = []
        case.serves("c")
        case.restart(kill=True)
        case.serves("a", "b", "c")


@test
def a_producer_waits_for_a_topic_that_a_full_disk_does_not_let_be_made():
    with Case() as case:
        case.broker.fail("change ENOSPC 0 *")
        producer = subprocess.Popen(["kcat", "-b", case.broker.address, "-P", "-t", "c"],
                                    stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        producer.stdin.write(b"c0\n")
        producer.stdin.close()
        deadline = time.monotonic() + 60
        while not case.said("__cluster_metadata", "No space left") and time.monotonic() < deadline:
            time.sleep(0.01)
        case.broker.mend()
        said = producer.stderr.read()
        producer.stderr.close()
        check_equal(producer.wait(timeout=100), 0 if b"failed" not in said else said)
        case.kept["c"] = [b"c0"]
        case.serves("a", "c")


@test
def a_disk_that_became_read_only_still_serves_what_it_has():
    with Case() as case:
        case.broker.fail("change EROFS 0 *")
        case.refuses("a")
        check_equal(case.client.create_topic("c"), STORAGE_ERROR)
        case.has_all("a")
        case.broker.mend()
        case.serves("a", "b")


@test
def a_segment_that_cannot_be_begun_refuses_until_it_can():
    with Case(log_segment_bytes="400") as case:
        case.produces("a", 3)
        case.broker.fail("open ENOSPC 0 */a-0/*.log")
        for _ in range(6):
            case.produce("a", 3)
        case.refuses("a")
        case.serves("b")
        check_equal(case.said("'a-0'", "No space left on device", "KAFKA_STORAGE_ERROR"), 1)
        case.broker.mend()
        case.serves("a", "b")
        case.restart()
        case.serves("a", "b")


@test
def after_a_failed_sync_a_partition_takes_nothing_until_a_restart():
    with Case() as case:
        case.broker.fail("sync EIO 0 */a-0/*")
        case.refuses("a")
        case.broker.mend()
        case.refuses("a")
        case.refuses("a", acks=1)
        case.has_all("a")
        case.serves("b")
        check_equal(case.said("'a-0'", "Input/output error", "restarted"), 1)
        case.restart()
        values = [value for _, value, _ in case.client.read("a", 0)]
        check_equal(values[:5], case.kept["a"])  # What was refused may be there.
        case.kept["a"] = values
        case.serves("a", "b")


@test
def what_cannot_be_read_is_an_error_and_the_rest_is_read():
    with Case() as case:
        case.produces("b")
        case.broker.fail("read EIO 0 */a-0/*.log")
        other = Client(case.broker.address)
        try:
            error = other.fetch("a", 0, 1)[0]
        except ConnectionError:  # The answer had begun already.
            error = STORAGE_ERROR
        check_equal(error, STORAGE_ERROR)
        case.serves("b")
        case.broker.mend()
        case.serves("a", "b")


@test
def a_partition_that_cannot_be_read_at_the_start_is_offline_and_the_others_are_served():
    with Case() as case:
        case.produces("b")
        case.client.close()
        case.broker.crash()
        case.broker.fail("read EIO 0 */a-0/*.log")
        case.broker.start()
        case.client = Client(case.broker.address)
        check_equal(case.client.fetch("a", 0, 0)[0], STORAGE_ERROR)
        case.refuses("a")
        case.serves("b")
        check_equal(case.said("'a-0'", "Input/output error", "offline"), 1)
        case.broker.mend()
        case.restart()
        case.serves("a", "b")


@test
def of_two_log_directories_one_fails_and_the_other_is_served():
    with Case() as case:
        root = case.broker.root
        case.client.close()
        check_equal(case.broker.stop(), 0)
        case.broker.settings["log.dirs"] = f"{root}/data/logs,{root}/second"
        case.broker.start()
        case.client = client = Client(case.broker.address)
        check_equal(client.create_topic("wide", 6), 0)
        there = {int(name[5:]) for name in os.listdir(f"{root}/second") if name.startswith("wide-")}
        assert 0 < len(there) < 6, there
        case.broker.fail(f"change EIO 0 {root}/second/*")
        for partition in range(6):
            error = client.produce("wide", partition, batch([b"x"]))[0]
            check_equal((partition, error), (partition, STORAGE_ERROR if partition in there else 0))
        case.broker.mend()
        for partition in range(6):
            check_equal(client.produce("wide", partition, batch([b"y"]))[0], 0)
        case.restart()
        for partition in range(6):
            check_equal([value for _, value, _ in case.client.read("wide", partition)],
                        [b"y"] if partition in there else [b"x", b"y"])
        case.serves("a", "b")


# ---- log.dirs ---------------------------------------------------------------------------------


def refused(case, log_dirs, *words, rules=()):
    """Whether a broker does not start on `log_dirs`, and says so in one line with these words."""
    broker = case.broker
    preload = {**os.environ, "LD_PRELOAD": LIBRARY, "SLUICE_DISK_ROOT": broker.root,
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    if rules:
        preload["SLUICE_DISK_FAULTS"] = os.path.join(broker.folder, "faults.start")
        with open(preload["SLUICE_DISK_FAULTS"], "w", encoding="utf-8") as file:
            file.write("".join(f"{rule}\n" for rule in rules))
    ran = subprocess.run([PROGRAM, "broker", "-o", f"log.dirs={log_dirs}", "-o",
                          "listeners=PLAINTEXT://127.0.0.1:0"], env=preload, timeout=120,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lines = [line for line in ran.stderr.splitlines() if "log" in line and " INFO " not in line]
    if ran.returncode == 0 or not any(all(word in line for word in words) for line in lines):
        raise AssertionError(f"ended with {ran.returncode}, saying {ran.stderr!r}; wanted {words}")


@test
def a_log_directory_that_cannot_be_used_is_refused_with_the_reason():
    with Case() as case:
        root, data = case.broker.root, case.broker.settings["log.dirs"]
        refused(case, data, data, "in use by another broker")
        with open(f"{root}/file", "w", encoding="utf-8") as file:
            file.write("x")
        refused(case, f"{root}/file", f"{root}/file", "log.dirs")
        refused(case, f"{root}/file/below", "Not a directory", "log.dirs")
        refused(case, f"{root}/new", f"{root}/new", "Read-only file system",
                rules=["change EROFS 0 *"])
        copy = f"{root}/copy"
        shutil.copytree(data, copy)
        meta = f"{copy}/meta.properties"
        with open(meta, encoding="utf-8") as file:
            text = file.read()
        for before, after, words in (("version=1", "version=2", ("version 2",)),
                                     ("node.id=1", "node.id=7", ("node.id 7",))):
            with open(meta, "w", encoding="utf-8") as file:
                file.write(text.replace(before, after))
            refused(case, copy, copy, *words)
        with open(meta, "w", encoding="utf-8") as file:
            file.write(text.replace("cluster.id=", "cluster.id=other"))
        refused(case, f"{root}/second,{copy}", copy, "cluster")


main(sys.argv[3:])

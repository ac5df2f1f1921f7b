"""Topics that a source writes to are made as its topic.creation.* keys say.

usage: topic_creation_test.py SLUICE [WORD…]
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE = os.path.abspath(sys.argv[1])
DEFAULT = {"topic.creation.default.partitions": "2",
           "topic.creation.default.replication.factor": "-1"}


def describe(broker, topic):
    ran = subprocess.run([SLUICE, "topics", "--bootstrap-server", broker.address, "--describe",
                          "--topic", topic], capture_output=True, text=True, timeout=120)
    return ran.stdout if ran.returncode == 0 else ""


def source(running, name, topic, **more):
    path = os.path.join(running.folder, f"{name}.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("one\n")
    return running.call("POST", "/connectors", {"name": name, "config": {
        "connector.class": "FileStreamSource", "file": path, "topic": topic, **more}})


@test
def a_topic_gets_what_its_group_says():
    with RunningBroker(SLUICE) as broker, RunningWorker(
            [SLUICE, "standalone"], {"bootstrap.servers": broker.address,
                                    "offset.flush.interval.ms": "100"}) as worker:
        groups = {**DEFAULT, "topic.creation.groups": "short, logs",
                  "topic.creation.short.include": "none", "topic.creation.logs.include":
                  "log\\..*,other", "topic.creation.logs.exclude": ".*secret",
                  "topic.creation.logs.partitions": "3",
                  "topic.creation.logs.retention.ms": "77000"}
        for name, topic, wanted in (("a", "log.one", "PartitionCount: 3"),
                                    ("b", "log.secret", "PartitionCount: 2"),
                                    ("c", "plain", "PartitionCount: 2")):
            check_equal(source(worker, name, topic, **groups)[0], 201)
            until(lambda: wanted in describe(broker, topic),
                  lambda: describe(broker, topic) + worker.log())
        if "retention.ms=77000" not in describe(broker, "log.one"):
            raise AssertionError(describe(broker, "log.one"))


@test
def a_topic_that_is_there_stays_as_it_is():
    with RunningBroker(SLUICE) as broker, RunningWorker(
            [SLUICE, "standalone"], {"bootstrap.servers": broker.address,
                                    "offset.flush.interval.ms": "100"}) as worker:
        subprocess.run([SLUICE, "topics", "--bootstrap-server", broker.address, "--create",
                        "--topic", "t", "--partitions", "5"], check=True, timeout=120,
                       capture_output=True)
        check_equal(source(worker, "a", "t", **DEFAULT)[0], 201)
        until(lambda: worker.call("GET", "/connectors/a/offsets")[1]["offsets"], worker.log)
        if "PartitionCount: 5" not in describe(broker, "t"):
            raise AssertionError(describe(broker, "t"))


@test
def keys_that_make_no_sense_fail_the_connector():
    key = "topic.creation.default."
    with RunningWorker([SLUICE, "standalone"]) as worker:
        for number, (keys, text) in enumerate((
                ({"topic.creation.groups": "g"}, f'Missing required configuration "{key}'
                 'replication.factor" which has no default value.'),
                ({key + "partitions": "x", key + "replication.factor": "1"},
                 f"Invalid value x for configuration {key}partitions: Not a number of type INT"),
                ({key + "partitions": "1", key + "replication.factor": "-2"},
                 "Invalid value -2 for configuration replication.factor: Replication factor must "
                 "be positive and not larger than the number of brokers in the Kafka cluster, or "
                 "-1 to use the broker's default"),
                ({**DEFAULT, "topic.creation.groups": "g", "topic.creation.g.partitions": "-5"},
                 "Invalid value -5 for configuration partitions: Number of partitions must be "
                 "positive, or -1 to use the broker's default"))):
            status, body = source(worker, f"c{number}", "t", **keys)
            check_equal((status, body["message"]), (500, text))
            check_equal(worker.state(f"c{number}").split()[0], "FAILED")


@test
def a_worker_may_forbid_it():
    with RunningWorker([SLUICE, "standalone"], {"topic.creation.enable": "false"}) as worker:
        check_equal(source(worker, "a", "t", **{"topic.creation.groups": "g"})[0], 201)
        until(lambda: "have no effect" in worker.log(), worker.log)


if __name__ == "__main__":
    main(sys.argv[2:])

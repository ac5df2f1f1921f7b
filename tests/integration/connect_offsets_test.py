"""sluice connect-offsets: the offsets topic of a Kafka Connect cluster, read, and taken by a worker.

usage: connect_offsets_test.py SLUICE FAKE_WORKER [WORD…]
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE, FAKE = sys.argv[1], sys.argv[2]
broker = None


def sluice(*arguments, text=None):
    done = subprocess.run([SLUICE, *arguments, "--bootstrap-server", broker.address], input=text, text=True,
                          capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def topic_with(name, *records):
    """A compacted topic with three partitions, and (key, value) lines as Kafka Connect writes them."""
    check_equal(sluice("topics", "create", name, "--partitions", "3")[0], 0)
    lines = "".join(f"{key}\t{value}\n" for key, value in records)
    code, _, fault = sluice("produce", name, "--property", "parse.key=true", "--property", "null.marker=NULL", text=lines)
    check_equal((code, fault), (0, ""))
    return name


def stored(name):
    return topic_with(
        name, ('["shop",{"server":"shop"}]', '{"lsn":1,"txId":7}'), ('["files",{"filename":"/a"}]', '{"position":5}'),
        ('["files",{"filename":"/b"}]', '{"position":9007199254740993}'), ('["gone",{"x":1}]', '{"y":1}'),
        ('["shop",{"server":"shop"}]', '{"transaction_id":null,"lsn":9223372036854775807,"snapshot":true}'),
        ('["gone",{"x":1}]', 'NULL'), ('{"no":"offset"}', '{}'), ('["a","b"]', '{}'))


SHOP = {"offsets": [{"partition": {"server": "shop"},
                     "offset": {"transaction_id": None, "lsn": 9223372036854775807, "snapshot": True}}]}


@test
def a_connectors_offsets_are_printed_as_rest_has_them():
    stored("first")
    code, shown, fault = sluice("connect-offsets", "shop", "--topic", "first")
    check_equal((code, json.loads(shown)), (0, SHOP))
    check_equal("2 records of topic 'first' are no offsets" in fault, True)
    code, shown, _ = sluice("connect-offsets", "--topic", "first")
    everything = json.loads(shown)
    check_equal((code, list(everything), everything["shop"]), (0, ["files", "shop"], SHOP))
    check_equal(sorted(pair["offset"]["position"] for pair in everything["files"]["offsets"]), [5, 9007199254740993])


@test
def what_is_not_there_is_told():
    stored("second")
    for name in ("gone", "nobody"):
        code, _, fault = sluice("connect-offsets", name, "--topic", "second")
        check_equal((code, f"topic 'second' has no offsets of connector '{name}'" in fault), (1, True))
    code, _, fault = sluice("connect-offsets", "shop")
    check_equal((code, "topic 'connect-offsets' cannot be read" in fault), (1, True))
    topic_with("empty")
    check_equal(sluice("connect-offsets", "--topic", "empty")[:2], (0, "{}\n"))


@test
def a_worker_takes_them_as_they_are_printed():
    _, shown, _ = sluice("connect-offsets", "files", "--topic", stored("third"))
    with RunningWorker([FAKE], ready_first=True) as worker:
        body = {"name": "files", "initial_state": "STOPPED", "config": {"connector.class": "FakeSource", "fake.need": "x"}}
        check_equal(worker.call("POST", "/connectors", body)[0], 201)
        done = subprocess.run([SLUICE, "connectors", "offsets", "set", "files", "-", "--url", f"http://127.0.0.1:{worker.port}"],
                              input=shown, text=True, capture_output=True, timeout=120, check=False)
        check_equal((done.returncode, done.stderr), (0, ""))
        offsets = worker.call("GET", "/connectors/files/offsets")[1]["offsets"]
        check_equal(sorted((pair["partition"]["filename"], pair["offset"]["position"]) for pair in offsets),
                    [("/a", 5), ("/b", 9007199254740993)])


if __name__ == "__main__":
    with RunningBroker(SLUICE) as broker:
        main(sys.argv[3:])

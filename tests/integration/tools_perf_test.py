"""kafka-producer-perf-test, kafka-consumer-perf-test, kafka-leader-election, kafka-storage.

usage: tools_perf_test.py PROGRAM [WORD…]
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_broker import RunningBroker
from running_tools import Tools
from tap import Skip, check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])
SENT = (r"(\d+) records sent, [\d.]+ records/sec \(\d+\.\d\d MB/sec\), \d+\.\d\d ms avg latency, "
        r"\d+\.\d\d ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.\n")
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, "
COLUMNS = ("data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, "
           "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n")
FIGURES = r"(\d+\.\d{4}), \d+\.\d{4}, (\d+), \d+\.\d{4}, \d+, \d+, \d+\.\d{4}, \d+\.\d{4}\n"


def run(tool, *words):
    done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), tool), *words],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def produce(tools, *words):
    return run("kafka-producer-perf-test", "--topic", "t", *words, "--producer-props",
               f"bootstrap.servers={tools.broker.address}", "linger.ms=0")


@test
def what_was_produced_is_told_and_can_be_consumed():
    with Tools(PROGRAM) as tools:
        status, out, error = produce(tools, "--num-records", "5000", "--throughput", "-1",
                                     "--record-size", "1000")
        found = re.fullmatch(SENT, out)
        check_equal((status, error, found and found.group(1)), (0, "", "5000"))
        status, out, _ = tools.kafka("kafka-consumer-perf-test", "--topic", "t", "--messages", "4000")
        found = re.fullmatch("start.time, end.time, " + re.escape(COLUMNS) + TIME + TIME + FIGURES, out)
        assert found, out
        check_equal((status, found.groups()), (0, ("3.8147", "4000")))
        check_equal(tools.run("offsets", "t")[1], "t:0:5000\n")


@test
def values_are_numbers_or_lines_of_a_file():
    with Tools(PROGRAM) as tools, tempfile.NamedTemporaryFile("w") as file:
        file.write("one\ntwo\n")
        file.flush()
        rate = ["--throughput", "10000", "--num-records"]
        check_equal(produce(tools, *rate, "3", "--payload-monotonic")[0], 0)
        check_equal(produce(tools, *rate, "2", "--payload-file", file.name)[0], 0)
        check_equal(tools.run("consume", "t", "--from-beginning", "--max-messages", "5")[1],
                    "0\n1\n2\none\ntwo\n")


@test
def fewer_records_than_wanted_are_told_with_a_warning():
    with Tools(PROGRAM) as tools:
        produce(tools, "--num-records", "10", "--throughput", "-1", "--record-size", "10")
        status, out, _ = tools.kafka("kafka-consumer-perf-test", "--topic", "t", "--messages", "11",
                                     "--timeout", "1000", "--hide-header")
        warning, figures = out.splitlines(True)
        check_equal((status, warning), (
            0, "WARNING: Exiting before consuming the expected number of messages: timeout (1000 ms) "
               "exceeded. You can use the --timeout option to increase the timeout.\n"))
        assert re.fullmatch(TIME + TIME + FIGURES, figures), figures
        status, out, _ = tools.kafka("kafka-consumer-perf-test", "--topic", "t", "--messages", "10",
                                     "--show-detailed-stats", "--reporting-interval", "1")
        lines = out.splitlines(True)
        check_equal(lines[0], "time, threadId, " + COLUMNS)
        assert lines[1:] and all(re.fullmatch(TIME + "0, " + FIGURES, line) for line in lines[1:]), out


@test
def a_test_that_is_not_told_what_to_do_is_refused():
    with Tools(PROGRAM) as tools:
        for words, text in [
                ([], "argument --num-records is required"),
                (["--num-records", "0"], "--num-records should be greater than zero"),
                (["--num-records", "1", "--throughput", "-1"],
                 "one of the arguments --record-size --payload-file --payload-monotonic is "
                 "required")]:
            status, _, error = produce(tools, *words)
            check_equal((status, error.split("\n")[0]), (1, text))
        status, _, error = tools.kafka("kafka-consumer-perf-test", "--topic", "t")
        check_equal((status, error.split("\n")[0]), (1, 'Missing required argument "[messages]"'))


@test
def leaders_are_elected_as_far_as_one_node_can():
    with Tools(PROGRAM) as tools:
        if "ElectLeaders(43): UNSUPPORTED" in tools.kafka("kafka-broker-api-versions")[1]:
            raise Skip("this broker does not elect leaders")
        tools.run("topics", "create", "t")
        elect = ["kafka-leader-election", "--election-type", "preferred"]
        check_equal(tools.kafka(*elect, "--topic", "t", "--partition", "0"),
                    (0, "Valid replica already elected for partitions t-0\n", ""))
        check_equal(tools.kafka(*elect, "--all-topic-partitions"), (0, "", ""))
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump({"partitions": [{"topic": "nope", "partition": 0}]}, file)
            file.flush()
            status, out, error = tools.kafka(*elect, "--path-to-json-file", file.name)
        check_equal((status, error), (1, "1 replica(s) could not be elected\n"))
        assert out.startswith("Error completing leader election (PREFERRED) for partition: nope-0: "
                              "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: "), out


@test
def an_election_that_is_not_told_of_what_is_refused():
    for words, text in [
            ([], "Missing required option(s): bootstrap-server, election-type"),
            (["--bootstrap-server", "x:1", "--election-type", "foo", "--all-topic-partitions"],
             "Cannot parse argument 'foo' of option election-type"),
            (["--bootstrap-server", "x:1", "--election-type", "unclean", "--topic", "t"],
             "Missing required option(s): partition"),
            (["--bootstrap-server", "x:1", "--election-type", "unclean"],
             "One and only one of the following options is required: topic, all-topic-partitions, "
             "path-to-json-file")]:
        status, _, error = run("kafka-leader-election", *words)
        check_equal((status, error.split("\n")[0]), (1, text))


@test
def a_directory_is_formatted_told_about_and_served():
    with tempfile.TemporaryDirectory(prefix="sluice-storage-") as folder:
        data, config = os.path.join(folder, "a", "data"), os.path.join(folder, "server.properties")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"node.id=1\nlog.dirs={data}\n")
        cluster = run("kafka-storage", "random-uuid")[1].strip()
        assert re.fullmatch(r"[\w-]{22}", cluster), cluster
        check_equal(run("kafka-storage", "info", "-c", config),
                    (1, f"Found problem:\n  {data} does not exist\n\n", ""))
        status, out, _ = run("kafka-storage", "format", "-t", cluster, "-c", config)
        check_equal((status, f" {data} with metadata.version " in out), (0, True))
        status, out, _ = run("kafka-storage", "info", "-c", config)
        check_equal(status, 0)
        assert re.fullmatch(f"Found log directory:\n  {data}\n\nFound metadata: "
                            rf"{{cluster.id={cluster}, directory.id=[\w-]+, node.id=1, version=1}}\n\n",
                            out), out
        other = ["kafka-storage", "format", "-t", "other", "-c", config]
        check_equal(run(*other, "-g")[2], f"Invalid cluster.id in: {data}/meta.properties. Expected "
                                          f"other, but read {cluster}\n")
        check_equal(run("kafka-storage", "format", "-t", cluster, "-c", config, "-g"), (0, "", ""))
        check_equal(run("kafka-storage", "format", "-t", cluster, "-c", config)[0], 1)
        with RunningBroker(PROGRAM, {"log.dirs": data}) as broker:
            check_equal(run("kafka-cluster", "cluster-id", "--bootstrap-server", broker.address)[1],
                        f"Cluster ID: {cluster}\n")


main(sys.argv[2:])

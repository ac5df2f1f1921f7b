"""kafka-get-offsets, kafka-delete-records, kafka-log-dirs, and the same in our dress.

usage: tools_records_test.py PROGRAM [WORD…]
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import Skip, check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])


class Records(Tools):
    """A broker with topic 'r' of two partitions, seven records in the first."""

    def __init__(self):
        super().__init__(PROGRAM)
        lines = "".join(f"{number}\n" for number in range(7))
        check_equal(self.run("topics", "create", "r", "--partitions", "1")[0], 0)
        check_equal(self.run("produce", "r", stdin=lines)[0], 0)
        check_equal(self.run("topics", "alter", "r", "--partitions", "2")[0], 0)

    def offsets(self, *words):
        status, out, error = self.kafka("kafka-get-offsets", *words)
        return status, out, error.split("\n")[0]


@test
def offsets_are_told_by_time_and_partition():
    with Records() as tools:
        check_equal(tools.offsets("--topic", "r"), (0, "r:0:7\nr:1:0\n", ""))
        check_equal(tools.offsets("--topic", "r", "--time", "-2"), (0, "r:0:0\nr:1:0\n", ""))
        check_equal(tools.offsets("--topic", "r", "--time", "earliest"), (0, "r:0:0\nr:1:0\n", ""))
        check_equal(tools.offsets("--topic", "r", "--time", "5"), (0, "r:0:0\n", ""))
        check_equal(tools.offsets("--topic", "r", "--time", "99999999999999"), (0, "", ""))
        check_equal(tools.offsets("--topic", "r", "--partitions", "1,5"), (0, "r:1:0\n", ""))
        for rule in ["r:1", "r:1-", "r:1-2", "x,:1-2", "r:5,r:1"]:
            check_equal(tools.offsets("--topic-partitions", rule, "--exclude-internal-topics"),
                        (0, "r:1:0\n", ""))
        check_equal(tools.offsets("--topic-partitions", "r:-1"), (0, "r:0:7\n", ""))
        check_equal(tools.offsets("--exclude-internal-topics"), (0, "r:0:7\nr:1:0\n", ""))


@test
def offsets_that_cannot_be_told_are_refused_as_kafka_refuses_them():
    with Records() as tools:
        for words, text in [
                (["--topic", "nope"],
                 "Could not match any topic-partitions with the specified filters"),
                (["--topic", "r", "--time", "foo"],
                 "Malformed time argument foo. Please use -1 or latest / -2 or earliest / -3 or "
                 "max-timestamp / -4 or earliest-local / -5 or latest-tiered, or a specified long "
                 "format timestamp"),
                (["--topic", "r", "--partitions", "0,2-4"],
                 "--partitions expects a comma separated list of numeric partition ids, but "
                 "received: 0,2-4"),
                (["--topic", "r", "--topic-partitions", "r:0"],
                 "--topic-partitions cannot be used with --topic or --partitions")]:
            check_equal(tools.offsets(*words), (1, "", "Error occurred: " + text))


@test
def offsets_in_our_dress():
    with Records() as tools:
        check_equal(tools.run("offsets", "r*")[1], "r:0:7\nr:1:0\n")
        check_equal(json.loads(tools.run("offsets", "r", "--time", "5", "--json")[1]),
                    [{"topic": "r", "partition": 0, "offset": 0},
                     {"topic": "r", "partition": 1, "offset": None}])


def delete(tools, document):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(document if isinstance(document, str) else json.dumps(document))
        file.flush()
        return tools.kafka("kafka-delete-records", "--offset-json-file", file.name)


def line(partition, offset, topic="r"):
    return {"topic": topic, "partition": partition, "offset": offset}


@test
def records_are_given_up():
    with Records() as tools:
        if "DeleteRecords(21): UNSUPPORTED" in tools.kafka("kafka-broker-api-versions")[1]:
            raise Skip("this broker does not delete records")
        begun = "Executing records delete operation\nRecords delete operation completed:\n"
        check_equal(delete(tools, {"partitions": [line(0, 3)], "version": 1}),
                    (0, begun + "partition: r-0\tlow_watermark: 3\n", ""))
        check_equal(tools.offsets("--topic", "r", "--time", "-2")[1], "r:0:3\nr:1:0\n")
        check_equal(tools.run("consume", "r", "--from-beginning", "--max-messages", "1")[1], "3\n")
        check_equal(delete(tools, {"partitions": [line(0, 300)]}), (
            0, begun + "partition: r-0\terror: org.apache.kafka.common.errors."
            "OffsetOutOfRangeException: The requested offset is not within the range of offsets "
            "maintained by the server.\n", ""))
        check_equal(tools.run("delete-records", "r:0:-1"),
                    (0, begun + "partition: r-0\tlow_watermark: 7\n", ""))
        check_equal(tools.run("delete-records", "nope:0:1")[0], 1)


@test
def a_file_that_is_wrong_is_refused_as_kafka_refuses_it():
    with Records() as tools:
        for document, text in [
                ({"partitions": [line(0, 3), line(0, 4)]},
                 "Offset json file contains duplicate topic partitions: r-0"),
                ({"partitions": [{"topic": "r", "partition": 0}]}, "No such field exists: `offset`"),
                ({}, "Missing partitions field"),
                ("xx", "The input string is not a valid JSON")]:
            check_equal(delete(tools, document), (1, "", text + "\n"))
        status, _, error = tools.kafka("kafka-delete-records")
        check_equal((status, error.split("\n")[0]),
                    (1, 'Missing required argument "[offset-json-file]"'))
        check_equal(tools.run("delete-records", "r:0")[1:],
                    ("", "'r:0' must be TOPIC:PARTITION:OFFSET\n"))


@test
def the_disks_are_told():
    with Records() as tools:
        if "DescribeLogDirs(35): UNSUPPORTED" in tools.kafka("kafka-broker-api-versions")[1]:
            raise Skip("this broker does not tell its directories")
        status, out, _ = tools.kafka("kafka-log-dirs", "--describe", "--topic-list", "r")
        lines = out.splitlines()
        check_equal((status, lines[:2]), (
            0, ["Querying brokers for log directories information",
                "Received log directory information from brokers 1"]))
        told = json.loads(lines[2])
        check_equal((told["version"], told["brokers"][0]["broker"]), (1, 1))
        folder = told["brokers"][0]["logDirs"][0]
        check_equal((folder["error"], sorted(at["partition"] for at in folder["partitions"])),
                    (None, ["r-0", "r-1"]))
        sizes = {at["partition"]: at["size"] for at in folder["partitions"]}
        assert sizes["r-0"] > 70 and sizes["r-1"] == 0, sizes
        check_equal(tools.run("log-dirs", "--topic-list", "r")[1], lines[2] + "\n")
        check_equal(tools.kafka("kafka-log-dirs", "--describe", "--broker-list", "1,7"), (
            1, "", "ERROR: The given brokers do not exist from --broker-list: 7. Current existent "
                   "brokers: 1\n"))


main(sys.argv[2:])

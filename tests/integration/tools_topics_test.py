"""kafka-topics and sluice topics: whole outputs, exit statuses, what is refused with which words.

usage: tools_topics_test.py PROGRAM [WORD…]
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])
TAIL = "\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: {0}\tLastKnownElr: {0}\n"


def topics(tools, *words):
    """(status, standard output, first line of standard error)."""
    status, out, error = tools.kafka("kafka-topics", *words)
    return status, out, error.split("\n")[0]


def failure(tools, *words):
    """What a command says that fails as Kafka's does, the log line checked and taken off."""
    status, out, error = tools.kafka("kafka-topics", *words)
    check_equal(status, 1)
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] ERROR [\w.]+Exception: .*\n"
                        r" \(org\.apache\.kafka\.tools\.TopicCommand\)\n", error), error
    start = "Error while executing topic command : "
    assert out.startswith(start) and out.endswith("\n"), out
    return out[len(start):-1], error.split()[3].split(".")[-1].rstrip(":")


def refusal(tools, *words):
    """What a command line is refused with."""
    status, out, error = topics(tools, *words)
    check_equal((status, out), (1, ""))
    return error


@test
def a_topic_lives_and_grows_and_goes():
    with Tools(PROGRAM) as tools:
        check_equal(topics(tools, "--create", "--topic", "t1", "--partitions", "2", "--config",
                           "retention.ms=1000"), (0, "Created topic t1.\n", ""))
        check_equal(topics(tools, "--create", "--topic", "t1", "--if-not-exists"), (0, "", ""))
        check_equal(topics(tools, "--list", "--exclude-internal"), (0, "t1\n", ""))
        check_equal(topics(tools, "--alter", "--topic=t1", "--partitions=3"), (0, "", ""))
        status, out, _ = topics(tools, "--describe", "--topic", "t1")
        head, *rest = out.splitlines(True)
        found = re.fullmatch(r"Topic: t1\tTopicId: ([\w-]{22})\tPartitionCount: 3\tReplicationFactor:"
                             r" 1\tConfigs: (\S*)\n", head)
        assert found and "retention.ms=1000" in found.group(2).split(","), head
        elr = "N/A" if "Elr: N/A" in out else ""
        check_equal(rest, [f"\tTopic: t1\tPartition: {i}" + TAIL.format(elr) for i in range(3)])
        check_equal(topics(tools, "--describe", "--topic-id", found.group(1)), (0, out, ""))
        check_equal(topics(tools, "--delete", "--topic", "t."), (0, "", ""))
        check_equal(topics(tools, "--list", "--exclude-internal"), (0, "\n", ""))


@test
def a_topic_is_warned_of_whose_name_may_collide():
    with Tools(PROGRAM) as tools:
        status, out, _ = topics(tools, "--create", "--topic", "a_b.c")
        check_equal((status, out.splitlines()[1]), (0, "Created topic a_b.c."))
        assert out.startswith("WARNING: Due to limitations in metric names, topics with a period"), out


@test
def what_a_broker_refuses_is_said_as_kafka_says_it():
    with Tools(PROGRAM) as tools:
        topics(tools, "--create", "--topic", "t1", "--partitions", "2")
        check_equal(failure(tools, "--create", "--topic", "t1"),
                    ("Topic 't1' already exists.", "TopicExistsException"))
        missing = "Topic 'nope' does not exist as expected"
        for words in [["--describe"], ["--delete"], ["--alter", "--partitions", "2"]]:
            check_equal(failure(tools, *words, "--topic", "nope"),
                        (missing, "IllegalArgumentException"))
            check_equal(topics(tools, *words, "--topic", "nope", "--if-exists"), (0, "", ""))
        check_equal(failure(tools, "--create", "--topic", "x", "--partitions", "0")[0],
                    "The partitions must be greater than 0")
        check_equal(failure(tools, "--create", "--topic", "x", "--replication-factor", "99999")[0],
                    "The replication factor must be between 1 and 32767 inclusive")
        check_equal(failure(tools, "--create", "--topic", "x", "--replica-assignment", "1:1")[0],
                    "Partition replica lists may not contain duplicate entries: 1")
        check_equal(failure(tools, "--create", "--topic", "x", "--config", "foo")[0],
                    'requirement failed: Invalid topic config: all configs to be added must be in '
                    'the format "key=val".')
        check_equal(failure(tools, "--create", "--topic", "x", "--config", "foo=1")[1],
                    "InvalidConfigurationException")
        check_equal(failure(tools, "--create", "--topic", "x y")[1], "InvalidTopicException")
        check_equal(failure(tools, "--alter", "--topic", "t1", "--partitions", "1")[1],
                    "InvalidPartitionsException")
        check_equal(failure(tools, "--describe", "--topic-id", "AAAAAAAAAAAAAAAAAAAAAQ")[0],
                    "TopicId 'AAAAAAAAAAAAAAAAAAAAAQ' does not exist as expected")


@test
def a_wrong_command_line_is_refused_as_kafka_refuses_it():
    with Tools(PROGRAM) as tools:
        action = ("Command must include exactly one action: --list, --describe, --create, --alter "
                  "or --delete")
        check_equal(refusal(tools), action)
        check_equal(refusal(tools, "--list", "--create"), action)
        check_equal(refusal(tools, "--create"), 'Missing required argument "[topic]"')
        check_equal(refusal(tools, "--alter", "--topic", "t"),
                    'Missing required argument "[partitions]"')
        check_equal(refusal(tools, "--list", "--partitions", "3"),
                    'Option "[partitions]" can\'t be used with option "[list]"')
        check_equal(refusal(tools, "--list", "--topic", "x", "--if-exists"),
                    'Option "[if-exists]" can\'t be used with option "[list]"')
        check_equal(refusal(tools, "--create", "--topic", "x", "--replica-assignment", "1,1",
                            "--partitions", "2"),
                    'Option "[replica-assignment]" can\'t be used with option "[partitions]"')
        check_equal(topics(tools, "--list", "--topic", "a", "--topic", "b"),
                    (1, "Error while executing topic command : Found multiple arguments for "
                        "option topic, but you asked for only one\n", ""))
        check_equal(refusal(tools, "--foo"), "foo is not a recognized option")


@test
def topics_are_chosen_by_pattern_and_partitions_by_state():
    with Tools(PROGRAM) as tools:
        for name in ["aa", "ab", "b"]:
            topics(tools, "--create", "--topic", name, "--replica-assignment", "1,1")
        check_equal(topics(tools, "--list", "--topic", "a.*"), (0, "aa\nab\n", ""))
        check_equal(topics(tools, "--list", "--topic", "b,aa"), (0, "aa\nb\n", ""))
        check_equal(topics(tools, "--list", "--topic", "a"), (0, "\n", ""))
        check_equal(topics(tools, "--list", "--topic", r"(?!_)\w"), (0, "b\n", ""))
        check_equal(topics(tools, "--describe", "--under-replicated-partitions"), (0, "", ""))
        check_equal(topics(tools, "--describe", "--unavailable-partitions"), (0, "", ""))
        check_equal(topics(tools, "--describe", "--under-min-isr-partitions"), (0, "", ""))
        out = topics(tools, "--describe", "--at-min-isr-partitions", "--topic", "b")[1]
        check_equal(re.sub("\tElr.*", "", out), "".join(
            f"\tTopic: b\tPartition: {i}\tLeader: 1\tReplicas: 1\tIsr: 1\n" for i in range(2)))
        tools.kafka("kafka-topics", "--create", "--topic", "own", "--config", "retention.ms=5")
        out = topics(tools, "--describe", "--topics-with-overrides", "--topic", "own")[1]
        check_equal((out.count("\n"), out.count("retention.ms=5")), (1, 1))


@test
def our_dress_names_topics_by_words_and_prints_json():
    with Tools(PROGRAM) as tools:
        check_equal(tools.run("topics", "create", "x1", "x2", "--partitions", "2"),
                    (0, "Created topic x1.\nCreated topic x2.\n", ""))
        check_equal(tools.run("topics", "alter", "x1", "--partitions", "3")[0], 0)
        described = json.loads(tools.run("topics", "describe", "x?", "--json")[1])
        check_equal([(topic["name"], len(topic["partitions"])) for topic in described],
                    [("x1", 3), ("x2", 2)])
        check_equal(described[1]["partitions"][1],
                    {"partition": 1, "leader": 1, "replicas": [1], "isr": [1]})
        check_equal(tools.run("topics", "list", "x2", "--offsets")[1],
                    "x2\n  partition 0: 0 to 0\n  partition 1: 0 to 0\n")
        check_equal(tools.run("topics", "delete", "x*")[1:], ("", "topic 'x*' is not there\n"))
        check_equal(tools.run("topics", "delete", "x1", "x2")[0], 0)
        status, _, error = tools.run("topics", "create")
        check_equal((status, error.split("\n")[0]), (2, "no topic is named: give one"))


main(sys.argv[2:])

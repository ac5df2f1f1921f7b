"""The tools against a running broker, in our dress and in Kafka's: topics, produce, consume.

usage: tools_test.py PROGRAM [WORD…]
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])


@test
def topics_are_created_listed_described_and_deleted():
    with Tools(PROGRAM) as tools:
        check_equal(tools.run("topics", "create", "orders", "--partitions", "2")[:2],
                    (0, "Created topic orders.\n"))
        status, _, error = tools.run("topics", "create", "orders")
        check_equal(status, 1)
        assert "Topic 'orders' already exists." in error, error
        check_equal(tools.run("topics", "create", "orders", "--if-not-exists")[0], 0)
        check_equal(tools.run("topics", "list", "--exclude-internal")[1], "orders\n")
        described = tools.run("topics", "describe", "orders")[1]
        assert "Topic: orders\t" in described and "Partition: 1\tLeader: 1" in described, described
        check_equal(tools.run("topics", "delete", "orders")[0], 0)
        status, _, error = tools.run("topics", "delete", "orders")
        check_equal((status, error), (1, "topic 'orders' is not there\n"))
        check_equal(tools.run("topics", "delete", "orders", "--if-exists")[0], 0)


@test
def more_replicas_than_one_are_refused_with_the_way_out():
    with Tools(PROGRAM) as tools:
        status, _, error = tools.run("topics", "create", "x", "--replication-factor", "3")
        check_equal(status, 1)
        assert "one node" in error and "bootstrap.servers" in error, error


@test
def lines_go_in_and_come_out_with_keys_and_nulls():
    with Tools(PROGRAM) as tools:
        check_equal(tools.run("produce", "pairs", "--property", "parse.key=true", "--property",
                              "key.separator=:", "--property", "null.marker=NIL",
                              stdin="a:1\nb:NIL\nc:with: colon\n")[0], 0)
        status, out, error = tools.run("consume", "pairs", "--from-beginning", "--max-messages",
                                       "3", "--property", "print.key=true", "--property",
                                       "print.offset=true")
        check_equal((status, out), (0, "Offset:0\ta\t1\nOffset:1\tb\tnull\nOffset:2\tc\twith: colon\n"))
        check_equal(error, "Processed a total of 3 messages\n")
        listed = json.loads(tools.run("topics", "list", "--offsets", "--json", "pairs")[1])
        check_equal(listed[0]["partitions"][0]["latest"], 3)


@test
def a_line_without_a_separator_is_named_and_what_came_before_is_produced():
    with Tools(PROGRAM) as tools:
        status, _, error = tools.run("produce", "pairs", "--property", "parse.key=true",
                                     stdin="a\t1\nnothing\n")
        check_equal(status, 1)
        assert "No key separator found on line number 2: 'nothing'" in error, error
        check_equal(tools.run("consume", "pairs", "--from-beginning", "--max-messages", "1")[1], "1\n")


@test
def kafkas_names_and_options_do_the_same():
    with Tools(PROGRAM) as tools:
        check_equal(tools.kafka("kafka-topics", "--create", "--topic", "t", "--partitions", "1")[:2],
                    (0, "Created topic t.\n"))
        check_equal(tools.kafka("kafka-console-producer", "--topic", "t", stdin="hello\n")[0], 0)
        check_equal(tools.kafka("kafka-console-consumer", "--topic", "t", "--from-beginning",
                                "--max-messages", "1", "--timeout-ms", "20000")[1], "hello\n")
        check_equal(tools.kafka("kafka-topics", "--list", "--topic", "t")[1], "t\n")
        status, _, error = tools.kafka("kafka-topics", "--topic", "t")
        check_equal((status, "exactly one action" in error), (1, True))


@test
def the_console_tools_know_headers_and_forms_of_numbers():
    with Tools(PROGRAM) as tools:
        check_equal(tools.kafka("kafka-console-producer", "--topic", "t", "--property", "parse.headers=true",
                                "--property", "parse.key=true", "--compression-codec", "--batch-size", "9",
                                "--producer-property", "max.block.ms=5", stdin="a:1,b:\tk\tabcd\n"),
                    (0, "", "'max.block.ms' is not a setting of this client (librdkafka): left out\n"))
        number = "org.apache.kafka.common.serialization.IntegerDeserializer"
        check_equal(tools.kafka("kafka-console-consumer", "--include", "[t]", "--from-beginning",
                                "--max-messages", "1", "--property", "print.headers=true",
                                "--property", "print.key=true", "--value-deserializer", number),
                    (0, "a:1,b:\tk\t1633837924\n", "Processed a total of 1 messages\n"))
        status, out, error = tools.kafka("kafka-console-consumer", "--topic", "t", "--from-beginning",
                                         "--max-messages", "1", "--key-deserializer", number,
                                         "--property", "print.key=true")
        check_equal((status, out), (1, ""))
        assert "Size of data received by IntegerDeserializer is not 4" in error, error


@test
def the_console_tools_refuse_in_kafkas_words():
    with Tools(PROGRAM) as tools:
        for words, said in (
                ([], "Exactly one of --include/--topic is required. "),
                (["--topic", "t", "--offset", "3"], "The partition is required when offset is specified."),
                (["--topic", "t", "--partition", "0", "--group", "g"],
                 "Options group and partition cannot be specified together."),
                (["--topic", "t", "--partition", "0", "--offset", "-3"],
                 "The provided offset value '-3' is incorrect. Valid values are 'earliest', 'latest', "
                 "or a non-negative long.")):
            status, out, error = tools.kafka("kafka-console-consumer", *words)
            check_equal((status, out, error.split("\n")[0]), (1, "", said))
        check_equal(tools.kafka("kafka-console-producer", "--topic", "t", "--request-required-acks", "7"),
                    (1, "", "org.apache.kafka.common.config.ConfigException: Invalid value 7 for "
                            "configuration acks: String must be one of: all, -1, 0, 1\n"))


@test
def a_group_goes_on_where_it_was():
    with Tools(PROGRAM) as tools:
        tools.run("produce", "t", stdin="1\n2\n3\n")
        words = ("consume", "t", "--group", "g", "--from-beginning", "--max-messages")
        check_equal(tools.run(*words, "2")[1], "1\n2\n")
        check_equal(tools.run(*words, "1")[1], "3\n")


@test
def a_broker_that_is_not_there_is_said():
    done = subprocess.run([PROGRAM, "topics", "list", "--bootstrap-server", "127.0.0.1:1"],
                          capture_output=True, text=True, timeout=120)
    check_equal(done.returncode, 1)
    assert "no broker answered in 10 s" in done.stderr, done.stderr


main(sys.argv[2:])

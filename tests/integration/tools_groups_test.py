"""kafka-consumer-groups and sluice groups against a running broker, whole outputs.

usage: tools_groups_test.py PROGRAM [WORD…]

With PEERS naming a folder that has Apache Kafka's jars in kafka/, Apache Kafka's own tool is asked
the same of the same broker; without, that case is skipped.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from confluent_kafka import Consumer, Producer, TopicPartition
from running_tools import Tools
from tap import Skip, check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])
PEERS = os.environ.get("PEERS", "")
HEAD = ("GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             "
        "CONSUMER-ID     HOST            CLIENT-ID\n")
RESET_HEAD = "\nGROUP                          TOPIC                          PARTITION  NEW-OFFSET     \n"
T = 1700000000000


class Groups(Tools):
    """Topic t1 with 5 and 3 records a second apart, t2 with one; group g1 with offsets, no members."""
    def __init__(self):
        super().__init__(PROGRAM, {"auto.create.topics.enable": "false"})
        for topic, partitions in (("t1", 2), ("t2", 1)):
            check_equal(self.kafka("kafka-topics", "--create", "--topic", topic, "--partitions",
                                   str(partitions))[0], 0)
        producer = Producer({"bootstrap.servers": self.broker.address})
        for partition, count in ((0, 5), (1, 3)):
            for i in range(count):
                producer.produce("t1", b"x", partition=partition, timestamp=T + 1000 * i)
        producer.produce("t2", b"x", partition=0)
        check_equal(producer.flush(60), 0)
        consumer = Consumer({"bootstrap.servers": self.broker.address, "group.id": "g1"})
        consumer.commit(offsets=[TopicPartition("t1", 0, 2), TopicPartition("t1", 1, 3),
                                 TopicPartition("t2", 0, 0)], asynchronous=False)
        consumer.close()

    def ask(self, *words):
        return self.kafka("kafka-consumer-groups", *words)

    def member(self, group, **settings):
        """A member that has its partitions."""
        consumer = Consumer({"bootstrap.servers": self.broker.address, "group.id": group,
                             "client.id": "cl", "auto.offset.reset": "earliest",
                             "enable.auto.commit": "false", **settings})
        consumer.subscribe(["t1", "t2"])
        for _ in range(200):
            consumer.poll(0.5)
            if consumer.assignment():
                return consumer
        raise AssertionError("no partitions were assigned")


def row(*cells):
    return "%-30s %-30s %-10s %-15s\n" % cells


@test
def groups_are_listed_by_name_state_and_type():
    with Groups() as groups:
        check_equal(groups.ask("--list"), (0, "g1\n", ""))
        check_equal(groups.ask("--list", "--state")[1],
                    "%-25s %-20s\n%-25s %-20s\n" % ("GROUP", "STATE", "g1", "Empty"))
        check_equal(groups.ask("--list", "--state=empty", "--type", "classic")[1],
                    "%-25s %-20s %-20s\n%-25s %-20s %-20s\n"
                    % ("GROUP", "TYPE", "STATE", "g1", "Classic", "Empty"))
        status, out, error = groups.ask("--list", "--state", "bogus")
        check_equal((status, out, error.splitlines()[0]), (1, "", "Invalid state list 'bogus'. Valid "
                    "states are: CompletingRebalance, Assigning, Reconciling, PreparingRebalance, "
                    "Empty, Stable, Dead"))
        check_equal(json.loads(groups.run("groups", "list", "--json")[1]),
                    [{"group": "g1", "state": "Empty", "type": "Classic"}])


@test
def an_empty_group_is_described():
    with Groups() as groups:
        lines = "".join("%-15s %-15s %-10d %-15d %-15d %-15d %-15s %-15s -\n"
                        % ("g1", topic, partition, offset, end, end - offset, "-", "-")
                        for topic, partition, offset, end in (("t1", 0, 2, 5), ("t1", 1, 3, 3),
                                                              ("t2", 0, 0, 1)))
        check_equal(groups.ask("--describe", "--group", "g1"),
                    (0, "\n" + HEAD + lines, "\nConsumer group 'g1' has no active members.\n"))
        check_equal(groups.ask("--describe", "--group", "g1", "--members")[1],
                    "\n%-15s %-15s %-15s %-15s %-15s \n"
                    % ("GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS"))
        check_equal(groups.ask("--describe", "--all-groups", "--state")[1],
                    "\n%-15s %-25s %-20s %-20s #MEMBERS\n%-15s %-25s %-20s %-20s 0\n"
                    % ("GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "g1",
                       f"{groups.broker.address}  (1)", "-", "Empty"))
        check_equal(groups.ask("--describe", "--group", "nope"),
                    (0, "\nError: Executing consumer group command failed due to org.apache.kafka."
                     "common.errors.GroupIdNotFoundException: Group nope not found.\n", ""))
        status, out, error = groups.run("groups", "describe", "nope")
        check_equal((status, out, error), (1, "", "Group nope not found.\n"))


@test
def members_are_described_with_what_they_have():
    with Groups() as groups:
        member = groups.member("g2", **{"group.instance.id": "inst1"})
        (group,) = json.loads(groups.run("groups", "describe", "g2", "--json")[1])
        consumer_id = group["members"][0]["consumer_id"]
        check_equal((group["state"], group["assignment_strategy"]), ("Stable", "range"))
        check_equal(group["offsets"][0], {
            "topic": "t1", "partition": 0, "current_offset": None, "log_end_offset": 5, "lag": None,
            "consumer_id": consumer_id, "host": "/127.0.0.1", "client_id": "cl"})
        wide = max(15, len(consumer_id))
        check_equal(groups.ask("--describe", "--group", "g2", "--members", "--verbose")[1],
                    f"\n%-15s %-{wide}s %-17s %-15s %-15s %-15s %-15s %-20s %-15s %-20s\n"
                    f"%-15s %-{wide}s %-17s %-15s %-15s %-15s %-15s %-20s %-15s %-20s\n"
                    % ("GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS",
                       "CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT",
                       "g2", consumer_id, "inst1", "/127.0.0.1", "cl", "3", "-", "t1:0,1;t2:0", "-", "-"))
        check_equal(groups.ask("--reset-offsets", "--group", "g2", "--topic", "t1", "--to-earliest",
                               "--execute"),
                    (0, "\nError: Assignments can only be reset if the group 'g2' is inactive, but the "
                     "current state is Stable.\n" + RESET_HEAD, ""))
        check_equal(groups.run("groups", "reset", "g2", "--topic", "t1", "--to-latest", "--execute")[0], 1)
        check_equal(groups.ask("--delete", "--group", "g2"),
                    (0, "\nError: Deletion of some consumer groups failed:\n* Group 'g2' could not be "
                     "deleted due to: org.apache.kafka.common.errors.GroupNotEmptyException: The group "
                     "is not empty.\n", ""))
        member.close()


@test
def offsets_are_reset_in_every_way():
    ways = [(["--to-earliest"], 0, 0), (["--to-latest"], 5, 3), (["--to-offset", "1"], 1, 1),
            (["--shift-by", "-1"], 1, 2), (["--to-current"], 2, 3), (["--by-duration", "P36500D"], 0, 0),
            (["--to-datetime", "2023-11-14T22:13:22.000"], 2, 2),
            (["--to-datetime", "2023-11-15T00:13:21.500+02:00"], 2, 2)]
    with Groups() as groups:
        for words, first, second in ways:
            check_equal((words, *groups.ask("--reset-offsets", "--group", "g1", "--topic", "t1",
                                            "--dry-run", *words)),
                        (words, 0, RESET_HEAD + row("g1", "t1", 0, first) + row("g1", "t1", 1, second), ""))
        status, out, error = groups.ask("--reset-offsets", "--group", "g1", "--all-topics",
                                        "--to-offset", "2", "--dry-run", "--export")
        check_equal((status, out), (0, "t1,0,2\nt1,1,2\nt2,0,1\n\n"))
        assert ("WARN New offset (2) is higher than latest offset for topic partition t2-0. Value will "
                "be set to 1 (org.apache.kafka.tools.consumer.group.ConsumerGroupCommand)\n") in error, error
        path = os.path.join(groups.broker.folder, "plan.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("t1,0,4\nt2,0,1\n")
        check_equal(groups.ask("--reset-offsets", "--group", "g1", "--from-file", path, "--execute")[1],
                    RESET_HEAD + row("g1", "t1", 0, 4) + row("g1", "t2", 0, 1))
        rows = json.loads(groups.run("groups", "describe", "g1", "--json")[1])[0]["offsets"]
        check_equal([each["current_offset"] for each in rows], [4, 3, 1])
        check_equal(json.loads(groups.run("groups", "reset", "new", "--topic", "t2", "--to-earliest",
                                          "--execute", "--json")[1]),
                    [{"group": "new", "topic": "t2", "partition": 0, "new_offset": 0}])
        check_equal(groups.ask("--list")[1], "g1\nnew\n")


@test
def offsets_and_groups_are_deleted():
    with Groups() as groups:
        check_equal(groups.ask("--delete-offsets", "--group", "g1", "--topic", "t1:0", "--topic", "t2"),
                    (0, "Request succeeded for deleting offsets from group g1.\n"
                     "\n%-15s %-10s %-15s\n%-15s %-10s %-15s\n%-15s %-10s %-15s\n"
                     % ("TOPIC", "PARTITION", "STATUS", "t1", "0", "Successful", "t2", "0", "Successful"),
                     ""))
        status, out, _ = groups.ask("--delete-offsets", "--group", "g1", "--topic", "nope")
        check_equal((status, out.splitlines()[-1]),
                    (0, "nope            -          Error: org.apache.kafka.common.errors."
                     "UnknownTopicOrPartitionException: This server does not host this topic-partition."))
        check_equal(groups.ask("--delete", "--group", "g1", "--group", "nope")[1],
                    "\nError: Deletion of some consumer groups failed:\n* Group 'nope' could not be deleted "
                    "due to: org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does "
                    "not exist.\n\nThese consumer groups were deleted successfully: 'g1'\n")
        check_equal(groups.ask("--list"), (0, "", ""))
        check_equal(groups.run("groups", "delete", "nope")[0], 1)


@test
def mistakes_are_told_in_kafkas_words():
    mistakes = [
        ([], "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, "
         "--delete-offsets, --validate-regex"),
        (["--describe"], "Option [describe] takes one of these options: [all-groups], [group]"),
        (["--describe", "--group", "g", "--members", "--state"], "Option [describe] takes at most one of "
         "these options: [members], [offsets], [state]"),
        (["--list", "--group", "g"], "Option \"[group]\" can't be used with option \"[list]\""),
        (["--delete-offsets", "--group", "g"], "Option [delete-offsets] takes the following options: "
         "[topic], [group]"),
        (["--reset-offsets", "--group", "g", "--topic", "t", "--to-latest", "--dry-run", "--execute"],
         "Option [reset-offsets] only accepts one of [execute] and [dry-run]"),
        (["--reset-offsets", "--group", "g", "--to-latest", "--dry-run"],
         "One of the reset scopes should be defined: --all-topics, --topic."),
    ]
    tool = os.path.join(os.path.dirname(PROGRAM), "kafka-consumer-groups")
    for words, text in mistakes:
        done = subprocess.run([tool, *words, "--bootstrap-server", "127.0.0.1:1"], capture_output=True,
                              text=True, timeout=120)
        check_equal((words, done.returncode, done.stdout, done.stderr.splitlines()[0]),
                    (words, 1, "", text))


@test
def apache_kafkas_own_tool_says_the_same():
    if not PEERS or not os.path.exists(f"{PEERS}/kafka") or shutil.which("java") is None:
        raise Skip("PEERS does not name a folder with Apache Kafka's jars, or there is no java")
    questions = [
        ["--list", "--state"], ["--describe", "--group", "g1"], ["--describe", "--group", "g2", "--verbose"],
        ["--describe", "--group", "g2", "--members", "--verbose"],
        ["--describe", "--group", "g2", "--state", "--verbose"],
        ["--reset-offsets", "--group", "g1", "--topic", "t1", "--shift-by", "100", "--dry-run"],
        ["--reset-offsets", "--group", "g1", "--all-topics", "--to-offset", "2", "--export", "--dry-run"],
        ["--delete-offsets", "--group", "g1", "--topic", "nope"], ["--delete", "--group", "g2"]]
    with Groups() as groups:
        member = groups.member("g2")
        for words in questions:
            done = subprocess.run(
                ["java", "-Xmx256m", "-XX:+UseSerialGC", "-cp", f"{PEERS}/kafka/*",
                 "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", *words,
                 "--bootstrap-server", groups.broker.address], capture_output=True, text=True, timeout=120)
            status, out, _ = groups.ask(*words)
            # Its rows come in the order of a hash table.
            check_equal((words, status, sorted(out.splitlines())),
                        (words, done.returncode, sorted(done.stdout.splitlines())))
            member.poll(0)
        member.close()


main(sys.argv[2:])

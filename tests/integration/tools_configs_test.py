"""kafka-configs and sluice configs: whole outputs, exit statuses, what is refused with which words.

usage: tools_configs_test.py PROGRAM [WORD…]
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_tools import Tools
from tap import check_equal, main, test

PROGRAM = os.path.abspath(sys.argv[1])
DONE = "Completed updating config for topic t.\n"


class OneTopic(Tools):
    """A broker with a topic 't'; configs() is kafka-configs."""

    def __init__(self):
        super().__init__(PROGRAM)
        check_equal(self.run("topics", "create", "t")[0], 0)

    def configs(self, *words):
        return self.kafka("kafka-configs", *words)

    def refusal(self, *words):
        status, out, error = self.configs(*words)
        check_equal((status, out), (1, ""))
        return error.split("\n")[0]


def line(key, value, *synonyms):
    return f"  {key}={value} sensitive=false synonyms={{{', '.join(synonyms)}}}\n"


@test
def settings_of_a_topic_are_set_shown_and_taken_back():
    with OneTopic() as tools:
        check_equal(tools.configs("--alter", "--topic", "t", "--add-config",
                                  "segment.bytes=2000000,cleanup.policy=[compact,delete]"), (0, DONE, ""))
        shown = ("Dynamic configs for topic t are:\n"
                 + line("cleanup.policy", "compact,delete",
                        "DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete",
                        "DEFAULT_CONFIG:log.cleanup.policy=delete")
                 + line("segment.bytes", "2000000", "DYNAMIC_TOPIC_CONFIG:segment.bytes=2000000",
                        "DEFAULT_CONFIG:log.segment.bytes=1073741824"))
        check_equal(tools.configs("--describe", "--topic", "t"), (0, shown, ""))
        check_equal(tools.configs("--describe", "--entity-type", "topics", "--entity-name", "t"),
                    (0, shown, ""))
        check_equal(tools.configs("--alter", "--topic", "t", "--delete-config",
                                  "cleanup.policy,segment.bytes"), (0, DONE, ""))
        check_equal(tools.configs("--describe", "--topic", "t")[1],
                    "Dynamic configs for topic t are:\n")


@test
def all_settings_are_shown_in_order():
    with OneTopic() as tools:
        status, out, _ = tools.configs("--describe", "--topic", "t", "--all")
        lines = out.splitlines(True)
        check_equal((status, lines[0]), (0, "All configs for topic t are:\n"))
        assert line("preallocate", "false", "DEFAULT_CONFIG:log.preallocate=false") in lines, out
        names = [text.split("=")[0] for text in lines[1:]]
        check_equal(names, sorted(names))
        out = tools.configs("--describe", "--broker", "1", "--all")[1]
        assert out.startswith("All configs for broker 1 are:\n"), out
        assert "  num.partitions=" in out, out


@test
def settings_come_from_a_file():
    with OneTopic() as tools, tempfile.NamedTemporaryFile("w") as file:
        file.write("retention.ms=5000\nsegment.ms = 6000\n")
        file.flush()
        check_equal(tools.configs("--alter", "--topic", "t", "--add-config-file", file.name),
                    (0, DONE, ""))
        check_equal(tools.run("configs", "describe", "topic", "t")[1],
                    "retention.ms=5000\nsegment.ms=6000\n")


@test
def what_a_broker_refuses_is_said_with_kafkas_exception():
    with OneTopic() as tools:
        for pair in ["foo=bar", "retention.ms=x"]:
            words = ["--alter", "--topic", "t", "--add-config", pair]
            status, out, error = tools.configs(*words)
            check_equal((status, out), (1, ""))
            lines = error.splitlines()
            check_equal(lines[0], "Error while executing config command with args '"
                        + " ".join([*words, "--bootstrap-server", tools.broker.address]) + "'")
            assert lines[1].startswith(
                "java.util.concurrent.ExecutionException: "
                "org.apache.kafka.common.errors.InvalidConfigurationException: "), error
        check_equal(tools.refusal("--alter", "--topic", "t", "--delete-config", "segment.ms,foo"),
                    "Invalid config(s): segment.ms,foo")


@test
def what_is_not_there_is_said_and_no_failure():
    with OneTopic() as tools:
        check_equal(tools.configs("--describe", "--topic", "nope"),
                    (0, "The topic 'nope' doesn't exist and doesn't have dynamic config.\n", ""))
        check_equal(tools.configs("--describe", "--broker", "7"),
                    (0, "The broker '7' doesn't exist and doesn't have dynamic config.\n", ""))


@test
def a_wrong_command_line_is_refused_as_kafka_refuses_it():
    with OneTopic() as tools:
        action = "Command must include exactly one action: --describe, --alter"
        check_equal(tools.refusal(), action)
        check_equal(tools.refusal("--describe", "--alter", "--topic", "t"), action)
        check_equal(tools.refusal("--describe"), "At least one entity type must be specified")
        check_equal(tools.refusal("--alter", "--entity-type", "topics", "--add-config", "a=b"),
                    "An entity name must be specified with --alter of topics")
        check_equal(tools.refusal("--describe", "--broker", "x"),
                    "The entity name for brokers must be a valid integer broker id, but it is: x")
        check_equal(tools.refusal("--describe", "--topic", "t", "--broker", "1"),
                    "Only 'users' and 'clients' entity types may be specified together")
        check_equal(tools.refusal("--describe", "--entity-type", "topics", "--entity-default"),
                    "--entity-default must not be specified with --describe of topics")
        check_equal(tools.refusal("--alter", "--topic", "t"),
                    "At least one of --add-config, --add-config-file, or --delete-config must be "
                    "specified with --alter")
        check_equal(tools.refusal("--alter", "--topic", "t", "--add-config", "a=b",
                                  "--add-config-file", "f"),
                    "Only one of --add-config or --add-config-file must be specified")
        check_equal(tools.refusal("--alter", "--topic", "t", "--add-config", "foo"),
                    'requirement failed: Invalid entity config: all configs to be added must be in '
                    'the format "key=val" or  "key=[val1,val2]" to group values which contain '
                    'commas.')
        check_equal(tools.refusal("--alter", "--client", "c", "--add-config", "foo=1"),
                    "Only quota configs can be added for 'clients' using --bootstrap-server. "
                    "Unexpected config names: Set(foo)")
        assert tools.refusal("--describe", "--entity-type", "foo").startswith(
            "Invalid entity type foo, the entity type must be one of topics, clients, users,")


@test
def our_dress_takes_words_and_prints_json():
    with OneTopic() as tools:
        check_equal(tools.run("configs", "alter", "topic", "t", "retention.ms=7", "segment.ms=8"),
                    (0, "", ""))
        check_equal(json.loads(tools.run("configs", "describe", "topics", "t", "--json")[1]), [{
            "type": "topics", "name": "t", "configs": [
                {"name": name, "value": value, "source": "DYNAMIC_TOPIC_CONFIG", "sensitive": False}
                for name, value in [("retention.ms", "7"), ("segment.ms", "8")]]}])
        check_equal(tools.run("configs", "describe", "topic", "nope"),
                    (1, "", "topic 'nope' is not there\n"))
        check_equal(tools.run("configs", "alter", "topic", "t")[0], 2)
        assert "topic t\n  retention.ms=7\n" in tools.run("configs", "describe", "topic")[1]


main(sys.argv[2:])

"""What a worker answers to configurations, names and offsets: the texts that users and their
tools look at, as Kafka Connect's worker gives them. It has real plugins, and no broker.

usage: rest_texts_test.py SLUICE [WORD…]
"""
import os
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from running_worker import RunningWorker  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

SLUICE = os.path.abspath(sys.argv[1])
SOURCE = {"connector.class": "FileStreamSource", "topic": "t", "file": "/nowhere"}
SINK = {"connector.class": "FileStreamSink", "topics": "t"}


def worker(**settings):
    return RunningWorker([SLUICE, "standalone"],
                         {key.replace("_", "."): value for key, value in settings.items()})


def create(running, name, config):
    return running.call("POST", "/connectors", {"name": name, "config": config,
                                                "initial_state": "STOPPED"})


def validated(running, config):
    """{key: its entry}, in order."""
    name = config["connector.class"]
    status, body = running.call("PUT", f"/connector-plugins/{name}/config/validate",
                                {"name": "x", **config})
    check_equal(status, 200)
    return {entry["value"]["name"]: entry for entry in body["configs"]}


def faults(running, config):
    """[(key, message)] of a validation."""
    return [(name, text) for name, entry in validated(running, config).items()
            for text in entry["value"]["errors"]]


@test
def keys_are_shown_as_a_form_needs_them():
    with worker(key_converter="org.apache.kafka.connect.json.JsonConverter") as w:
        keys = validated(w, SOURCE)
        check_equal(list(keys)[:6], ["name", "connector.class", "connector.plugin.version",
                                     "tasks.max", "tasks.max.enforce", "key.converter"])
        shown = keys["tasks.max"]["definition"]
        check_equal((shown["display_name"], shown["width"], shown["order"], shown["group"]),
                    ("Tasks max", "SHORT", 4, "Common"))
        check_equal(keys["key.converter"]["definition"]["default_value"],
                    "org.apache.kafka.connect.json.JsonConverter")
        check_equal([name for name, entry in keys.items()
                     if not entry["definition"]["documentation"]], [])


@test
def values_are_shown_as_they_were_read():
    with worker() as w:
        keys = validated(w, {**SOURCE, "tasks.max": " +3 ", "errors.log.enable": "TRUE",
                             "transforms": " a , b ", "key.converter": "StringConverter",
                             "batch.size": "x"})
        check_equal([keys[name]["value"]["value"] for name in (
            "tasks.max", "errors.log.enable", "transforms", "key.converter", "batch.size")],
            ["3", "true", "a,b", "org.apache.kafka.connect.storage.StringConverter", None])


@test
def a_transformation_has_its_keys_in_kafkas_order():
    with worker() as w:
        keys = [name for name in validated(w, {**SOURCE, "transforms": "a",
                                               "transforms.a.type": "RegexRouter"})
                if name.startswith("transforms.a.")]
        check_equal(keys, [f"transforms.a.{name}" for name in (
            "type", "plugin.version", "regex", "replacement", "negate", "predicate")])


@test
def a_version_that_is_not_there_is_refused():
    with worker() as w:
        version = validated(w, SOURCE)["connector.plugin.version"]["value"]["value"]
        text = ("Plugin org.apache.kafka.connect.file.FileStreamSourceConnector not found that "
                f"matches the version range [77,77], available versions: [{version}]")
        config = {**SOURCE, "connector.plugin.version": "77"}
        check_equal(faults(w, config), [("connector.class", text),
                                        ("connector.plugin.version", text)])
        check_equal(create(w, "v", config)[0], 400)
        check_equal(faults(w, {**SOURCE, "connector.plugin.version": version}), [])
        check_equal(faults(w, {**SOURCE, "connector.plugin.version": "[0,)"}), [])
        plugin = "/connector-plugins/FileStreamSource/config?version="
        check_equal(w.call("GET", plugin + "77"),
                    (400, {"error_code": 400, "message": text}))
        check_equal(w.call("GET", plugin + "latest")[0], 200)


@test
def no_value_at_all_is_a_fault():
    with worker() as w:
        null = "Null value can not be supplied as the configuration value."
        check_equal(faults(w, {**SOURCE, "foo": None, "tasks.max": None}), [
            ("foo", null),
            ("tasks.max", "Invalid value null for configuration tasks.max: Value must be "
                          "non-null"), ("tasks.max", null)])


@test
def dead_letters_do_not_come_back():
    with worker() as w:
        queue = {"errors.deadletterqueue.topic.name": "dead"}
        check_equal(faults(w, {**SINK, **queue, "topics": "a,dead"}), [(
            "topics", "The DLQ topic 'dead' may not be included in the list of topics "
                      "('topics=[a, dead]') consumed by the connector")])
        check_equal(faults(w, {"connector.class": "FileStreamSink", **queue,
                               "topics.regex": "d.*"}), [(
            "topics.regex", "The DLQ topic 'dead' may not be matched by the regex for the "
                            "topics ('topics.regex=d.*') consumed by the connector")])
        check_equal(faults(w, {"connector.class": "FileStreamSink", "topics.regex": "["}), [(
            "topics.regex", "Invalid value [ for configuration topics.regex: Invalid regex: "
                            "Unclosed character class near index 0\n[\n^")])


@test
def a_policy_says_what_connectors_may_set():
    config = {**SOURCE, "producer.override.acks": "1",
              "producer.override.sasl.jaas.config": "planted", "consumer.override.x": "1"}
    text = ("The '{}' policy does not allow '{}' to be overridden in the connector "
            "configuration.")
    classes = "org.apache.kafka.connect.connector.policy.{}ConnectorClientConfigOverridePolicy"
    for policy, refused in (("All", ()), ("Principal", ("acks",)),
                            ("None", ("acks", "sasl.jaas.config"))):
        with worker(connector_client_config_override_policy=classes.format(policy)) as w:
            check_equal(faults(w, config), [(f"producer.override.{name}",
                                             text.format(policy, name)) for name in refused])
            check_equal(create(w, "o", config)[0], 400 if refused else 201)
            if "planted" in str(validated(w, config)) + w.log():
                raise AssertionError("a secret is shown")


@test
def a_name_may_be_any_text():
    names = ["a b", "a%b", "ü", "a+b", "a?b", "a#b", "a\\b", 'a"b', "a;b", "日本", "a/b", "..",
             "😀", "<b>", "a,b", "[x]", "|", "a&b=c", "%2F", "x" * 200]
    with tempfile.TemporaryDirectory() as folder, worker(
            config_storage_file_filename=f"{folder}/connectors") as w:
        for name in names:
            path = "/connectors/" + urllib.parse.quote(name, safe="")
            check_equal(create(w, name, SOURCE)[0], 201)
            check_equal(w.call("GET", path)[1]["name"], name)
            check_equal(w.call("GET", path + "/status")[1]["connector"]["state"], "STOPPED")
            check_equal(w.call("PUT", path + "/config", {**SOURCE, "batch.size": 1})[0], 200)
            check_equal(w.call("PATCH", path + "/offsets", {"offsets": [
                {"partition": {"filename": name}, "offset": {"position": 1}}]})[0], 200)
        w.stop()
        w.start()
        check_equal(sorted(w.call("GET", "/connectors")[1]), sorted(names))
        for name in names:
            path = "/connectors/" + urllib.parse.quote(name, safe="")
            check_equal(w.call("GET", path + "/offsets")[1]["offsets"][0]["partition"],
                        {"filename": name})
            check_equal(w.call("DELETE", path)[0], 204)
        check_equal(w.call("GET", "/connectors")[1], [])


@test
def blanks_around_a_name_are_cut_and_nothing_is_no_name():
    with worker() as w:
        check_equal(create(w, "  lead ", SOURCE)[1]["name"], "lead")
        for name in ("", "  ", None):
            status, body = create(w, name, SOURCE)
            check_equal((status, "String may not be empty" in body["message"]), (400, True))


@test
def values_that_are_no_texts_become_texts():
    with worker() as w:
        raw = (b'{"name": "n", "initial_state": "STOPPED", "config": {"connector.class": '
               b'"FileStreamSource", "topic": "t", "a": 1.50, "b": true, "c": -0, "d": 1e3, '
               b'"e": "first", "e": "last"}}')
        check_equal(w.call("POST", "/connectors", raw=raw)[0], 201)
        config = w.call("GET", "/connectors/n/config")[1]
        check_equal({key: config[key] for key in "abcde"},
                    {"a": "1.50", "b": "true", "c": "-0", "d": "1e3", "e": "last"})
        for nested in (b'{"a": [1]}', b'{"a": {"b": 1}}'):
            status, body = w.call("PUT", "/connectors/n/config", raw=nested)
            check_equal((status, "Cannot deserialize value of type `java.lang.String`"
                         in body["message"]), (500, True))


if __name__ == "__main__":
    main(sys.argv[2:])

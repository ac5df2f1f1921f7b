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
def a_version_of_the_java_plugin_is_that_of_ours():
    connectors = "/connector-plugins?connectorsOnly=false"
    with worker() as w:
        shown = {plugin["class"]: plugin["version"] for plugin in w.call("GET", connectors)[1]}
        check_equal({name: version for name, version in shown.items()
                     if (name.startswith("org.apache.kafka.") and version != w.call("GET", "/")[1]["version"]) or
                     (name.startswith("io.debezium.") and not version.startswith("3."))}, {})
        shorter = "transforms.a.type"
        config = {**SOURCE, "transforms": "a", shorter: "RegexRouter", "transforms.a.regex": "a",
                  "transforms.a.replacement": "b", "key.converter": "JsonConverter",
                  "header.converter": "org.apache.kafka.connect.storage.SimpleHeaderConverter"}
        for key, also in (("connector.plugin.version", ["connector.class"]),
                          ("transforms.a.plugin.version", [shorter]),
                          ("key.converter.plugin.version", ["key.converter"]),
                          ("header.converter.plugin.version", ["header.converter"])):
            for version in ("4.1.0", "4.0.0", "[3.9,5)", "latest", "(,5)"):
                check_equal(faults(w, {**config, key: version}), [])
            for version in ("3.9.1", "[3.0,4.0)", "5.0.0", "0.1.0"):
                check_equal(sorted(name for name, _ in faults(w, {**config, key: version})),
                            sorted(also + [key]))
        check_equal(create(w, "v", {**config, "connector.plugin.version": "[4.0,4.1)"})[0], 201)
        check_equal(w.call("GET", "/connectors/v/status")[1]["connector"]["version"], "4.1.0")


@test
def every_converter_is_also_one_of_headers():
    with worker() as w:
        plugins = w.call("GET", "/connector-plugins?connectorsOnly=false")[1]
        kinds = {kind: [plugin["class"] for plugin in plugins if plugin["type"] == kind]
                 for kind in ("converter", "header_converter")}
        simple = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
        check_equal(kinds["header_converter"], sorted(kinds["converter"] + [simple]))


@test
def settings_of_clients_are_described_and_have_types():
    with worker() as w:
        config = {**SOURCE, "producer.override.linger.ms": " 5 ", "producer.override.acks": "all",
                  "producer.override.no.such": " x", "admin.override.retries": "1",
                  "producer.override.sasl.jaas.config": "hush", "key.converter": "JsonConverter"}
        keys = validated(w, config)
        check_equal(list(keys)[28:34], [
            "producer.override.no.such", "producer.override.acks",
            "producer.override.sasl.jaas.config", "producer.override.linger.ms",
            "key.converter.decimal.format", "key.converter.converter.type"])
        check_equal([keys[f"producer.override.{name}"]["value"]["value"] for name in (
            "acks", "linger.ms", "no.such", "sasl.jaas.config")], ["all", "5", " x", "[hidden]"])
        linger = keys["producer.override.linger.ms"]["definition"]
        check_equal((linger["type"], linger["default_value"], linger["display_name"],
                     linger["order"]), ("LONG", "5", "linger.ms", -1))
        check_equal(keys["producer.override.no.such"]["definition"], None)
        check_equal(faults(w, {**config, "producer.override.linger.ms": "long"}), [
            ("producer.override.linger.ms", "Invalid value long for configuration "
             "producer.override.linger.ms: Not a value of type LONG")])
        check_equal(faults(w, {**config, "producer.override.acks": None}), [
            ("producer.override.acks", "Null value can not be supplied as the configuration value.")])


@test
def no_body_at_all_patches_nothing():
    with worker() as w:
        create(w, "p", SOURCE)
        for raw in (b"null", b""):
            check_equal(w.call("PATCH", "/connectors/none/config", raw=raw),
                        (404, {"error_code": 404, "message": "Connector none not found"}))
            status, body = w.call("PATCH", "/connectors/p/config", raw=raw)
            check_equal((status, body["message"][:27]), (400, "the request has no body: it"))
        check_equal(w.call("PATCH", "/connectors/p/config", {})[0], 200)


@test
def the_number_of_lines_of_a_batch_is_any_number():
    with worker() as w:
        check_equal(faults(w, {**SOURCE, "batch.size": "x"}), [
            ("batch.size", "Invalid value x for configuration batch.size: Not a number of type INT")])
        check_equal(faults(w, {**SOURCE, "batch.size": "-1"}), [])


@test
def no_value_at_all_is_a_fault():
    with worker() as w:
        null = "Null value can not be supplied as the configuration value."
        check_equal(faults(w, {**SOURCE, "foo": None, "tasks.max": None}), [
            ("foo", null),
            ("tasks.max", "Invalid value null for configuration tasks.max: Value must be "
                          "non-null"), ("tasks.max", null)])
        check_equal(faults(w, {**SOURCE, "offsets.storage.topic": None}), [("offsets.storage.topic", null)])
        check_equal(faults(w, {**SOURCE, "file": None}), [("file", null)])


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

"""Random requests for two workers, the same for the same seed.

A sequence makes, changes, pauses, restarts and deletes a few connectors, looks at them from
every side, alters their offsets and has configurations validated, right and wrong ones. Lines
are those of rest_peers.py; behind each change stands SETTLE, as both are as fast as they are.
"""
import json
import random

NAMES = ["a", "b c", "ü", "f.g", "h"]
TRANSFORMS = {
    "org.apache.kafka.connect.transforms.InsertField$Value": {
        "topic.field": "f", "static.field": "s", "static.value": "v", "offset.field": "o!",
        "partition.field": "p?", "timestamp.field": "t", "replace.null.with.default": "false"},
    "org.apache.kafka.connect.transforms.InsertField$Key": {"topic.field": "f"},
    "org.apache.kafka.connect.transforms.ExtractField$Value": {
        "field": "a", "replace.null.with.default": "false", "field.syntax.version": "V2"},
    "org.apache.kafka.connect.transforms.ExtractField$Key": {"field": "a"},
    "RegexRouter": {"regex": "(.*)", "replacement": "$1"},
    "org.apache.kafka.connect.transforms.RegexRouter": {"regex": "a(b|c)*", "replacement": "x"},
}
CONVERTERS = {
    "org.apache.kafka.connect.json.JsonConverter": {
        "schemas.enable": "false", "schemas.cache.size": "10", "decimal.format": "NUMERIC",
        "replace.null.with.default": "false"},
    "JsonConverter": {"schemas.enable": "true", "decimal.format": "base64"},
    "org.apache.kafka.connect.storage.StringConverter": {"converter.encoding": "UTF-8"},
    "org.apache.kafka.connect.converters.ByteArrayConverter": {},
    "org.apache.kafka.connect.converters.LongConverter": {},
    "ShortConverter": {}, "org.apache.kafka.connect.converters.BooleanConverter": {},
    "DoubleConverter": {}, "FloatConverter": {}, "IntegerConverter": {},
    "org.apache.kafka.connect.storage.SimpleHeaderConverter": {},
}
COMMON = {
    "tasks.max": ["1", "2", "3"], "tasks.max.enforce": ["true", "false"],
    "errors.retry.timeout": ["0", "-1", "100"], "errors.retry.delay.max.ms": ["1", "60000"],
    "errors.tolerance": ["none", "all"], "errors.log.enable": ["true", "FALSE"],
    "errors.log.include.messages": ["true"], "config.action.reload": ["none", "restart"],
    "unknown.key": ["x"], "file.more": [""], "connector.plugin.version": ["4.1.0", "[4,5)", "latest"],
    "errors.unknown": ["1"]}
SOURCE = {
    "file": ["FOLDER/in.txt"], "topic": ["t"], "batch.size": ["2000", "1", "0", "+7"],
    "exactly.once.support": ["requested", "REQUESTED"],
    "transaction.boundary": ["poll", "INTERVAL"], "transaction.boundary.interval.ms": ["0", "100"],
    "offsets.storage.topic": ["o"], "producer.override.acks": ["1", "all"],
    "producer.override.linger.ms": ["5", " 6 "], "producer.override.unknown": ["x"],
    "topic.creation.default.replication.factor": ["1"], "topic.creation.default.partitions": ["1"]}
SINK = {
    "file": ["FOLDER/out.txt"], "topics": ["s", "s,u", " s , u "], "consumer.override.fetch.min.bytes": ["1"],
    "consumer.override.max.poll.records": ["7"],
    "errors.deadletterqueue.topic.name": ["", "d"],
    "errors.deadletterqueue.topic.replication.factor": ["1"],
    "errors.deadletterqueue.context.headers.enable": ["true"]}
WRONG = ["", " ", "x", "-1", "0", "1.5", "99999999999", "true", "Nope", "a,a", "[", "null", "\t",
         "é", "a,,b", "none", "REQUIRED", "org.apache.kafka.connect.json.JsonConverter"]
NEVER_NULL = ("file", "topic", "topics", "transforms", "batch.size")
LOGGERS = ["x", "x.y", "x.y.z", "zz", "x.yz"]
LEVELS = ["DEBUG", "info", "Warn", "ERROR", "TRACE", "OFF", "FATAL", "ALL", "loud", ""]
QUERIES = ["", "", "", "?", "?x=1", "?forward=true", "?forward=false", "?a&b", "?expand=info"]
ACCEPTS = ["", "", "", "", "", "[Accept: application/json] ", "[Accept: */*] ",
           "[Accept: text/html, */*;q=0.1] ", "[Accept: text/plain] ", "[Accept-Encoding: gzip] ",
           "[If-None-Match: *] ", "[Accept-Charset: utf-8] ", "[User-Agent: x] ",
           "[Accept: application/json;charset=utf-8] "]


def quoted(name):
    from urllib.parse import quote
    return quote(name, safe="")


class RandomRequests:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(list(choices))

    def some(self, keys, chance):
        return {key: self.pick(values) for key, values in keys.items() if self.random.random() < chance}

    def with_transforms(self, config):
        aliases = [f"t{number}" for number in range(self.random.randint(0, 2))]
        if not aliases:
            return
        config["transforms"] = ",".join(aliases)
        for alias in aliases:
            kind = self.pick(TRANSFORMS)
            config[f"transforms.{alias}.type"] = kind
            for key, value in TRANSFORMS[kind].items():
                if self.random.random() < 0.8 or key in (
                        "field", "regex", "replacement", "topic.field", "static.field", "static.value"):
                    config[f"transforms.{alias}.{key}"] = value
            if kind.endswith("RegexRouter") or self.random.random() < 0.1:
                config.setdefault(f"transforms.{alias}.regex", "a")

    def with_converters(self, config):
        for role in ("key", "value", "header"):
            if self.random.random() < 0.3:
                kind = self.pick(CONVERTERS)
                if role != "header" and kind.endswith("SimpleHeaderConverter"):
                    continue
                config[f"{role}.converter"] = kind
                for key, value in CONVERTERS[kind].items():
                    if self.random.random() < 0.5:
                        config[f"{role}.converter.{key}"] = value

    def config(self, wrong=0.0):
        source = self.random.random() < 0.6
        config = {"connector.class": self.pick(
            ["FileStreamSource", "org.apache.kafka.connect.file.FileStreamSourceConnector"] if source
            else ["FileStreamSinkConnector", "org.apache.kafka.connect.file.FileStreamSinkConnector"])}
        keys = SOURCE if source else SINK
        config.update({key: self.pick(keys[key]) for key in list(keys)[:2]})
        config.update(self.some(dict(list(keys.items())[2:]), 0.15))
        config.update(self.some(COMMON, 0.15))
        if any(key.startswith("topic.creation.") for key in config):
            config["topic.creation.default.replication.factor"] = "1"
            config["topic.creation.default.partitions"] = "1"
        if config.get("errors.deadletterqueue.topic.name"):
            config["errors.deadletterqueue.topic.replication.factor"] = "1"
        self.with_transforms(config)
        self.with_converters(config)
        if self.random.random() < wrong:
            self.spoil(config)
        return config

    def spoil(self, config):
        for _ in range(self.random.randint(1, 3)):
            key = self.pick(config)
            # These make Kafka Connect's own validation break, or name what only one of both has.
            if key == "connector.class" or "override" in key or "topic.creation" in key:
                continue
            # Without any field an InsertField fails when it starts; and where there is no such
            # version Kafka Connect looks at nothing else.
            if key.endswith((".topic.field", ".static.field", ".static.value")) or key in (
                    "connector.plugin.version", "errors.deadletterqueue.topic.name"):
                continue
            wrong = self.random.random()
            # An exception of its own is one of Kafka Connect's faults then.
            if wrong < 0.3 and (key.endswith(".regex") or key in NEVER_NULL):
                continue
            if wrong < 0.2:
                del config[key]
            elif wrong < 0.3 and not (".converter" in key or "transforms." in key):
                config[key] = None
            elif wrong < 0.5:
                config[key] = self.pick([True, 7, 1.5, -0.0])
            else:
                config[key] = self.pick(WRONG)

    def offsets(self):
        entries = []
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            partition = self.pick([{"filename": "x"}, {"filename": "FOLDER/in.txt"}, {}, None, {"file": "x"},
                                   {"kafka_topic": "t", "kafka_partition": 0},
                                   {"kafka_topic": "t", "kafka_partition": "0"},
                                   {"kafka_topic": "none", "kafka_partition": 1}, {"filename": 5}])
            offset = self.pick([{"position": 3}, {"position": "3"}, None, {}, {"kafka_offset": 2},
                                {"position": -1}, {"kafka_offset": "x"}, {"position": None}])
            entries.append({"partition": partition, "offset": offset})
        return json.dumps({"offsets": entries})

    def validation(self):
        config = self.config(wrong=0.7)
        kind = "FileStreamSource" if "Source" in config["connector.class"] else "FileStreamSink"
        config = {"name": self.pick(["n", " n ", "ü"]), **config}
        return [f"? PUT /connector-plugins/{kind}/config/validate {json.dumps(config)}"]

    def creation(self, name):
        body = {"name": name, "config": self.config(wrong=0.2)}
        if self.random.random() < 0.4:
            body["initial_state"] = self.pick(["RUNNING", "PAUSED", "STOPPED", "stopped", "Paused"])
        return [f"POST /connectors {json.dumps(body)}", f"SETTLE {quoted(name)}"]

    def change(self, path):
        which = self.random.randint(0, 9)
        if which == 0:
            return [f"PUT {path}/config {json.dumps(self.config(wrong=0.2))}"]
        if which == 1:
            changed = self.some({**COMMON, "tasks.max": ["2"], "file": ["FOLDER/in.txt"]}, 0.3)
            removed = {key: None for key in self.some(COMMON, 0.2)}
            return [f"PATCH {path}/config {json.dumps({**changed, **removed})}"]
        if which in (2, 3, 4):
            return [f"PUT {path}/{self.pick(['pause', 'resume', 'stop'])}"]
        if which == 5:
            query = "&".join(f"{key}={self.pick(['true', 'false', 'TRUE', '', 'x'])}" for key in self.some(
                {"includeTasks": [1], "onlyFailed": [1], "forward": [1]}, 0.6))
            return [f"POST {path}/restart?{query}"]
        if which == 6:
            return [f"POST {path}/tasks/0/restart"]
        if which == 7:
            return [f"PATCH {path}/offsets {self.offsets()}"]
        return [self.pick([f"DELETE {path}", f"DELETE {path}/offsets", f"PUT {path}/topics/reset"])]

    def look(self, path):
        accept = self.pick(ACCEPTS)
        where = self.pick(["", "/config", "/status", "/tasks", "/tasks/0/status", "/tasks/1/status",
                           "/tasks-config", "/offsets", "/nothing"])
        form = "~ " if where == "/offsets" else ""  # Kafka Connect commits once a minute.
        return [f"{form}{accept}{self.pick(['GET', 'GET', 'GET', 'HEAD'])} {path}{where}{self.pick(QUERIES)}"]

    def lists(self):
        return [self.pick(["= GET /connectors", "GET /connectors?expand=info", "GET /connectors?expand=status",
                           "GET /connectors?expand=info&expand=status", "GET /connectors?expand=x",
                           "OPTIONS /connectors", "TRACE /connectors", "GET /health",
                           "HEAD /connectors", "GET /connectors?expand=status&x=y"])]

    def logger(self):
        name = self.pick(LOGGERS)
        if self.random.random() < 0.4:
            return [f"GET /admin/loggers/{name}"]
        body = json.dumps({"level": self.pick(LEVELS)})
        return [f"PUT /admin/loggers/{name}{self.pick(['', '?scope=worker', '?scope=cluster', '?scope='])} {body}"]

    def lines(self, count):
        made = [f"! DELETE /connectors/{quoted(name)}" for name in NAMES]
        while len(made) < count:
            name = self.pick(NAMES)
            path = f"/connectors/{quoted(name)}"
            which = self.random.random()
            if which < 0.12:
                made += self.creation(name)
            elif which < 0.45:
                made += self.change(path) + [f"SETTLE {quoted(name)}"]
            elif which < 0.7:
                made += self.look(path)
            elif which < 0.85:
                made += self.validation()
            elif which < 0.93:
                made += self.lists()
            else:
                made += self.logger()
        return made + [f"~ DELETE /connectors/{quoted(name)}" for name in NAMES]

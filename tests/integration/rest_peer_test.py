"""Kafka Connect's REST interface and ours side by side, answer by answer.
Skipped unless KAFKA names the folder of Apache Kafka's jars and CONNECT_FILE that of its file
connectors, and there is java.

usage: KAFKA=DIR CONNECT_FILE=DIR [SEED=N] [COUNT=N] rest_peer_test.py PROGRAM [WORD…]
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from rest_peers import RestPeers, why_not
from rest_random import RandomRequests
from tap import Skip, main, test

LIBS, PLUGIN = os.environ.get("KAFKA"), os.environ.get("CONNECT_FILE")
peers = RestPeers(os.path.abspath(sys.argv[1]), LIBS, PLUGIN, {
    "access.control.allow.origin": "http://good.example",
    "access.control.allow.methods": "GET",
    "response.http.headers.config": '"set X-Two: a, b", set X-Three: c'})

SOURCE = ('"connector.class": "FileStreamSource", "file": "FOLDER/in.txt", "topic": "t"')
SINK = ('"connector.class": "FileStreamSink", "file": "FOLDER/out.txt", "topics": "t"')


def compare(requests, **prepared):
    reason = why_not(LIBS, PLUGIN)
    if reason is not None:
        raise Skip(f"Kafka Connect cannot be had: {reason}")
    requests = requests.replace("@SOURCE", SOURCE).replace("@SINK", SINK)
    peers.compare(requests, **prepared)


PATHS = ["/", "/health", "/connectors", "/connectors/", "/connectors/nope", "/connectors/nope/config",
         "/connectors/nope/status", "/connectors/nope/tasks", "/connectors/nope/tasks-config",
         "/connectors/nope/tasks/0", "/connectors/nope/tasks/0/status",
         "/connectors/nope/tasks/x/status", "/connectors/nope/tasks/-1/status",
         "/connectors/nope/tasks/0/restart", "/connectors/nope/restart", "/connectors/nope/pause",
         "/connectors/nope/resume", "/connectors/nope/stop", "/connectors/nope/topics",
         "/connectors/nope/topics/reset", "/connectors/nope/offsets", "/connectors/nope/fence",
         "/connectors/nope/foo", "/connector-plugins", "/connector-plugins/",
         "/connector-plugins/Nope/config", "/connector-plugins/Nope/config/validate",
         "/connector-plugins/Nope", "/admin/loggers", "/admin/loggers/", "/admin/loggers/nope",
         "/admin", "/foo", "//connectors", "/connectors//status", "/a%2", "/connectors/a%zz",
         "/connectors/%c0%af/status", "/connectors/%ff", "/connectors/%00"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"]

# Kafka Connect's standalone worker answers these with an exception that nobody caught.
MEANT = [("POST", "/connectors/nope/tasks/0/restart"), ("PUT", "/connectors/nope/stop"),
         ("POST", "/connectors/nope/restart")]


@test
def every_path_with_every_method():
    lines = [f"{method} {path}" for path in PATHS for method in METHODS
             if not (path in ("/", "/connector-plugins", "/connector-plugins/", "/admin/loggers",
                              "/admin/loggers/") and method == "GET")
             and (method, path) not in MEANT]
    compare("\n".join(lines))


@test
def every_body_with_every_content_type():
    types = ["-", "application/json", "application/json; charset=utf-8", "text/plain", "*/*",
             "application/x-www-form-urlencoded", "application/*", "nonsense", "text/json"]
    places = ["POST /connectors", "PUT /connectors/nope/config", "PATCH /connectors/nope/config",
              "PATCH /connectors/nope/offsets",
              "PUT /admin/loggers/nope.x", "PUT /connectors/nope/pause", "DELETE /connectors/nope",
              "POST /connectors/nope/tasks", "PUT /connectors/nope/fence"]
    compare("\n".join(f"[Content-Type: {kind}] {place} {{}}" for place in places for kind in types))


@test
def what_is_accepted():
    compare("\n".join(f"[Accept: {kind}] {place}" for kind in (
        "text/plain", "text/html", "*/*", "application/*", "application/json;q=0.5,text/html",
        "application/xml", "nonsense", "text/html,*/*;q=0.1")
        for place in ("GET /connectors", "GET /connectors/nope", "GET /foo", "POST /connectors {}",
                      "POST /", "DELETE /connectors/nope", "HEAD /connectors")))


BODIES = ["{", "[]", "[1]", "5", "true", "null", '"x"', "{}", '{"a"}', '{"a":}', "{'a':1}", "nope",
          '{"a":1}x', '{"a":1,}', '{"a":"b', '{"a":[1]}', '{"a":{}}', '{"a":null}', '{"a":1.50}',
          '{"a":1e400}', '{"a":NaN}', '{"a":"\\x"}', '{"a":"\\ud800"}', '{"a":01}', "[", '{"name":"x"}',
          '{"name":"x","config":null}', '{"name":"x","config":[]}', '{"name":"x","config":5}',
          '{"name":"x","config":"y"}', '{"name":["x"],"config":{}}', '{"name":{},"config":{}}',
          '{"name":5,"config":{}}', '{"name":null,"config":{}}', '{"name":"x","config":{"a":[1]}}',
          '{"name":"x","config":{},"zzz":1}', '{"name":"x","config":{},"initial_state":"WRONG"}',
          '{"name":"x","config":{},"initial_state":5}', '{"name":"x","config":{},"initial_state":[]}',
          '{"name":"x","config":{},"initial_state":null}', '{"name":"x","config":{"b":true,"c":1.0}}',
          '{"config":{}}', '{"name":"x","config":{"name":"y"}}', '{"name":" ","config":{}}',
          '{"offsets":null}', '{"offsets":[]}', '{"offsets":{}}', '{"offsets":5}', '{"offsets":"x"}',
          '{"offsets":[123]}', '{"offsets":["x"]}', '{"offsets":[[]]}', '{"offsets":[null]}',
          '{"offsets":[{}]}', '{"offsets":[{"key":"val"}]}', '{"offsets":[{"partition":[]}]}',
          '{"offsets":[{"partition":5}]}', '{"offsets":[{"partition":"x"}]}', '{"key":[]}',
          '{"offsets":[{"partition":[]]}]}', '{"offsets":[{"partition":{},"offset":[]}]}',
          '{"offsets":[true]}', '{"offsets":[1.5]}', '{"offsets":[{"partition":true}]}',
          '{"offsets":[{"partition":1.5}]}', '{"offsets":true}', '[1 2', '{"a":1]', '{"a":tru}',
          '{"offsets":[{"x":[1,{"y":2}],"partition":{}}]}', '{"a" 1}', '{"a":1 "b":2}', '{"a":-}',
          '{"a":1.}', '{"a":1e}', '{"a":"\\u12"}', '{"a":"\t"}', '// x', '{,}', '{"a":,}', '[,]',
          "-1", "1.5", '{"name":1.5,"config":{}}', '{"name":"x","config":1.5}', '""', '" "',
          '{"name":"x","config":true}', '{"name":"x","config":""}', '{"a":1}}', '{"a":1} {"b":2}',
          '{"a":1.0.0}', '{"a":1x}', "+1", ".5", '{"a":Infinity}', '{"a":-Infinity}',
          '{"a":truex}', '{"a":nul', '{"level":"loud"}', '{"level":5}', '{"level":null}', '{"level":["x"]}', '{"other":"x"}']


@test
def bodies_that_do_not_fit():
    compare("\n".join(f"{place} {body}" for place in (
        "POST /connectors", "PUT /connectors/nope/config", "PATCH /connectors/nope/config",
        "PATCH /connectors/nope/offsets",
        "PUT /admin/loggers/none.such") for body in BODIES
        if "ud800" not in body))


@test
def bodies_that_are_empty():
    compare("\n".join(f"[Content-Type: {kind}] {place}" for kind in ("application/json", "-")
            for place in ("POST /connectors", "PUT /connectors/nope/config",
                          "PATCH /connectors/nope/config", "PATCH /connectors/nope/offsets",
                          "PUT /connector-plugins/Nope/config/validate",
                          "PUT /admin/loggers/none.such")))


@test
def a_source_from_creation_to_deletion():
    compare("""
POST /connectors {"name": "s", "config": {@SOURCE}}
POST /connectors {"name": "s", "config": {@SOURCE}}
WAIT s RUNNING RUNNING
GET /connectors
GET /connectors/s
HEAD /connectors/s
GET /connectors/s/config
GET /connectors/s/status
GET /connectors/s/tasks
GET /connectors/s/tasks-config
GET /connectors/s/tasks/0/status
GET /connectors/s/tasks/1/status
GET /connectors/s/tasks/0
! GET /connectors/s/topics
GET /connectors?expand=status
GET /connectors?expand=info
GET /connectors?expand=info&expand=status
GET /connectors?expand=status&expand=info
GET /connectors?expand=bogus
GET /connectors?expand
GET /connectors?expand=
GET /connectors?expand=INFO
GET /connectors?expand=info,status
PUT /connectors/s/config {@SOURCE}
PUT /connectors/s/config {@SOURCE, "name": "other"}
PUT /connectors/s/config {@SOURCE, "name": "s", "batch.size": 7}
PUT /connectors/s/config {@SOURCE, "batch.size": "x"}
PUT /connectors/s/config {@SOURCE, "batch.size": "-3"}
PATCH /connectors/s/config null
PATCH /connectors/s/config {"batch.size": 9, "nothing": null}
PATCH /connectors/s/config {"batch.size": null}
PATCH /connectors/s/config {"topic": null}
~ PATCH /connectors/s/config {"connector.class": null}
PATCH /connectors/s/config {"connector.class": "Nope"}
PATCH /connectors/s/config {}
GET /connectors/s/config
WAIT s RUNNING RUNNING
POST /connectors/s/restart
WAIT s RUNNING RUNNING
POST /connectors/s/restart?includeTasks=true
WAIT s RUNNING RUNNING
POST /connectors/s/restart?includeTasks=true&onlyFailed=true
POST /connectors/s/restart?onlyFailed=true
POST /connectors/s/restart?includeTasks=false&onlyFailed=false
POST /connectors/s/restart?includeTasks=bogus
POST /connectors/s/restart?includeTasks
POST /connectors/s/restart?includeTasks=TRUE
WAIT s RUNNING RUNNING
POST /connectors/s/tasks/0/restart
WAIT s RUNNING RUNNING
POST /connectors/s/tasks/99999999999/restart
PUT /connectors/s/pause
WAIT s PAUSED PAUSED
PUT /connectors/s/pause
GET /connectors/s/status
POST /connectors/s/restart?includeTasks=true
WAIT s PAUSED PAUSED
PUT /connectors/s/resume
WAIT s RUNNING RUNNING
= GET /connectors/s/offsets
PATCH /connectors/s/offsets {"offsets":[{"partition":{"filename":"x"},"offset":{"position":3}}]}
DELETE /connectors/s/offsets
PUT /connectors/s/topics/reset
! GET /connectors/s/topics
PUT /connectors/s/stop
WAIT s STOPPED
GET /connectors/s/status
GET /connectors/s/tasks
GET /connectors/s
PUT /connectors/s/stop
POST /connectors/s/restart
POST /connectors/s/restart?includeTasks=true
PATCH /connectors/s/offsets {}
PATCH /connectors/s/offsets {"offsets":[{"partition":{"filename":"x"},"offset":{"position":3}}]}
= GET /connectors/s/offsets
PATCH /connectors/s/offsets {"offsets":[{"partition":{"filename":"x"},"offset":{"position":[1]}}]}
= GET /connectors/s/offsets
PATCH /connectors/s/offsets {"offsets":[{"partition":{"filename":"x"},"offset":null}]}
= GET /connectors/s/offsets
DELETE /connectors/s/offsets
= GET /connectors/s/offsets
PUT /connectors/s/resume
WAIT s RUNNING RUNNING
POST /connectors/s/tasks/7/restart
DELETE /connectors/s
DELETE /connectors/s
GET /connectors/s/status
GET /connectors/s
GET /connectors
""", files={"in.txt": "one\n"})


@test
def a_sink_from_creation_to_deletion():
    compare("""
POST /connectors {"name": "k", "config": {@SINK, "tasks.max": "2"}, "initial_state": "paused"}
WAIT k PAUSED PAUSED PAUSED
GET /connectors/k
GET /connectors/k/status
GET /connectors/k/tasks
GET /connectors/k/offsets
PUT /connectors/k/stop
WAIT k STOPPED
PATCH /connectors/k/offsets {"offsets":[]}
PATCH /connectors/k/offsets {"offsets":[{}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":null,"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{},"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":null,"kafka_partition":0},"offset":null}]}
! PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":7,"kafka_partition":0},"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":null},"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":"x"},"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":1.5},"offset":null}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{}}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":"x"}}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":null}}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0,"more":1},"offset":{"kafka_offset":2}}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":"2"}}]}
GET /connectors/k/offsets
! PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":"0"},"offset":{"kafka_offset":-2}}]}
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"nope","kafka_partition":0},"offset":{"kafka_offset":2}}]}
GET /connectors/k/offsets
PATCH /connectors/k/offsets {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":null}]}
GET /connectors/k/offsets
DELETE /connectors/k/offsets
GET /connectors/k/offsets
DELETE /connectors/k
""")


@test
def offsets_that_a_file_source_refuses():
    entry = '{"partition":{"filename":"a"},"offset":%s}'
    bodies = [entry % offset for offset in (
        '{"position":"x"}', '{"position":-1}', '{"position":1.5}', '{"position":null}',
        '{"pos":5}', "{}", '{"position":5,"more":1}', '{"position":[1]}')]
    bodies += ['{"partition":%s,"offset":{"position":5}}' % partition for partition in (
        '{"file":"x"}', '{"filename":null}', '{"filename":7}', "{}", "null",
        '{"filename":"y","z":1}', '{"filename":{"a":1}}')]
    bodies += ['{"partition":{"nofile":"y"},"offset":null}', '{"partition":null,"offset":null}',
               "{}", ",".join(entry % '{"position":%d}' % number for number in (5, 6))]
    compare("\n".join(
        ['POST /connectors {"name":"o","config":{@SOURCE},"initial_state":"STOPPED"}'] +
        [f'PATCH /connectors/o/offsets {{"offsets":[{body}]}}' for body in bodies] +
        ["= GET /connectors/o/offsets", "DELETE /connectors/o/offsets",
         "DELETE /connectors/o/offsets", "GET /connectors/o/offsets", "DELETE /connectors/o"]))


@test
def offsets_of_a_sink_whose_topics_are_not_there():
    compare("""
POST /connectors {"name":"n","config":{@SINK},"initial_state":"STOPPED"}
PATCH /connectors/n/offsets {"offsets":[{"partition":{"kafka_topic":"none","kafka_partition":0},"offset":{"kafka_offset":1}}]}
PATCH /connectors/n/offsets {"offsets":[{"partition":{"kafka_topic":"none","kafka_partition":0},"offset":null}]}
DELETE /connectors/n/offsets
DELETE /connectors/n/offsets
GET /connectors/n/offsets
DELETE /connectors/n
""")


@test
def initial_states():
    compare("""
POST /connectors {"name": "i", "config": {@SOURCE}, "initial_state": "STOPPED"}
WAIT i STOPPED
GET /connectors/i/status
GET /connectors/i/tasks
GET /connectors?expand=info&expand=status
DELETE /connectors/i
POST /connectors {"name": "i", "config": {@SOURCE}, "initial_state": "PAUSED"}
WAIT i PAUSED PAUSED
DELETE /connectors/i
POST /connectors {"name": "i", "config": {@SOURCE}, "initial_state": "Running"}
WAIT i RUNNING RUNNING
DELETE /connectors/i
""")


@test
def configurations_that_are_refused():
    configs = [
        '{@SOURCE, "transforms": "a,a"}',
        '{@SOURCE, "transforms": "a"}', '{@SOURCE, "predicates": "p"}',
        '{@SOURCE, "predicates": "p,p"}',
        '{"connector.class": ""}',
        '{"connector.class": "FileStreamSource"}',
        '{@SOURCE, "topic": ""}', '{@SOURCE, "tasks.max": 0}',
        '{@SOURCE, "tasks.max": "x"}',
        '{@SOURCE, "tasks.max": "99999999999"}',
        '{@SOURCE, "tasks.max": ""}', '{@SOURCE, "tasks.max": 1.5}',
        '{@SOURCE, "tasks.max": " 3 ", "name": "y"}',
        '{@SOURCE, "key.converter": "Nope"}',
        '{@SOURCE, "header.converter": "Nope"}',
        '{@SOURCE, "key.converter": ""}',
        '{@SOURCE, "transforms": "a", "transforms.a.type": "Nope"}',
        '{@SOURCE, "predicates": "p", "predicates.p.type": "Nope"}',
        '{@SOURCE, "errors.retry.timeout": "x"}',
        '{@SOURCE, "errors.retry.delay.max.ms": "x"}',
        '{@SOURCE, "errors.log.enable": "x"}',
        '{@SOURCE, "errors.log.include.messages": "yes"}',
        '{@SOURCE, "tasks.max.enforce": "x"}',
        '{@SOURCE, "config.action.reload": "later"}',
        '{@SOURCE, "transaction.boundary.interval.ms": 0}',
        '{@SOURCE, "transaction.boundary.interval.ms": "x"}',
        '{@SOURCE, "exactly.once.support": "required"}',
        '{@SOURCE, "transaction.boundary": "connector"}',
        '{@SINK, "topics": ""}', '{"connector.class": "FileStreamSink"}',
        '{@SINK, "topics.regex": "x.*"}',
        '{"connector.class": "FileStreamSink", "topics.regex": ""}',
        '{@SINK, "errors.deadletterqueue.topic.replication.factor": "x"}',
        '{@SINK, "errors.deadletterqueue.context.headers.enable": "x"}',
        '{@SOURCE, "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "x"}',

        '{@SOURCE, "unknown.key": "x"}']
    lines = []
    for config in configs:
        kind = "FileStreamSink" if "@SINK" in config or "Sink" in config else "FileStreamSource"
        lines += [f"? PUT /connector-plugins/{kind}/config/validate {config}",
                  f'POST /connectors {{"name": "bad", "initial_state": "STOPPED", "config": {config}}}',
                  "~ DELETE /connectors/bad"]
    compare("\n".join(lines))


@test
def keys_and_what_is_said_of_them():
    validate = "? PUT /connector-plugins/FileStream{}/config/validate"
    source, sink = validate.format("Source"), validate.format("Sink")
    compare("\n".join((
        f'{source} {{"connector.class":"FileStreamSource"}}',
        f'{sink} {{"connector.class":"FileStreamSink"}}',
        f'{source} {{"name":"x",@SOURCE,"transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.InsertField$Value","transforms.a.topic.field":"f","key.converter":"org.apache.kafka.connect.json.JsonConverter","value.converter":"org.apache.kafka.connect.storage.StringConverter","header.converter":"org.apache.kafka.connect.storage.SimpleHeaderConverter"}}',
        f'{source} {{"name":"x",@SOURCE,"key.converter":"JsonConverter","value.converter":"StringConverter","header.converter":"ByteArrayConverter"}}',
        f'{source} {{"name":" x ","connector.class":"FileStreamSource","file":"  /tmp/in.txt ","topic":"t","tasks.max":"x","batch.size":" 7 ","errors.log.enable":"TRUE","errors.tolerance":" all ","transforms":" a , b ","key.converter":"Nope","errors.retry.timeout":"+5","transforms.a.type":"Nope","config.action.reload":"wrong","transaction.boundary":"POLL","topic.creation.groups":"g"}}',
        f'{source} {{"name":"x",@SOURCE,"transaction.boundary.interval.ms":"-1","header.converter":"SimpleHeaderConverter","errors.log.enable":" ","transforms":"a,a","transforms.a.type":"RegexRouter","transforms.a.regex":"a","transforms.a.replacement":"b"}}',
        f'{source} {{"name":"x",@SOURCE,"topic.creation.groups":"g,g"}}',
        f'{source} {{"name":"x",@SOURCE,"connector.plugin.version":null,"tasks.max":null,"errors.tolerance":null,"foo":null}}',
        f'{source} {{"name":"x",@SOURCE,"exactly.once.support":"x","transaction.boundary":"y"}}',
        f'{source} {{"name":"x",@SOURCE,"transforms":"a","transforms.a.type":"RegexRouter","transforms.a.regex":"[","transforms.a.replacement":"x","transforms.a.negate":"true"}}',
        f'{source} {{"name":"x",@SOURCE,"transforms":"a","transforms.a.type":"RegexRouter","transforms.a.plugin.version":"[1.0,2.0)"}}',
        f'{source} {{"name":"x",@SOURCE,"connector.plugin.version":"latest"}}',
        f'{sink} {{"name":"x",@SINK,"errors.deadletterqueue.topic.name":"t"}}',
        f'{sink} {{"name":"x","connector.class":"FileStreamSink","topics.regex":"t.*","errors.deadletterqueue.topic.name":"tt"}}',
        f'{sink} {{"name":"x","connector.class":"FileStreamSink","topics.regex":"["}}',
        f'{sink} {{"name":"x","connector.class":"FileStreamSink","topics":"a,,b, ,c"}}',
        f'{sink} {{"name":"","connector.class":"FileStreamSink","topics":"a"}}',
        f'{sink} {{"name":"a\\tb","connector.class":"FileStreamSink","topics":"a"}}',
        f'{sink} {{"name":"\\u0001\\u0002","connector.class":"FileStreamSink","topics":"a"}}',
        "? GET /connector-plugins/FileStreamSource/config",
        "? GET /connector-plugins/FileStreamSink/config",
        "? GET /connector-plugins/org.apache.kafka.connect.transforms.InsertField$Value/config",
        "? GET /connector-plugins/JsonConverter/config",
        "? GET /connector-plugins/StringConverter/config",
        "? GET /connector-plugins/FileStreamSource/config?version=latest",
        "GET /connector-plugins/FileStreamSource/config?version=1.0",
        "GET /connector-plugins/FileStreamSource/config?version=",
        "GET /connector-plugins/Nope/config?version=1.0")))


@test
def settings_of_clients_that_a_connector_overrides():
    source = "? PUT /connector-plugins/FileStreamSource/config/validate"
    sink = "? PUT /connector-plugins/FileStreamSink/config/validate"
    with open(__file__.replace("rest_peer_test.py", "rest_peer_overrides.txt"), encoding="utf-8") as file:
        settings = [line.split() for line in file]
    every = {kind: ",".join(f'"{kind}.override.{name}":"{value}"'
                            for of, name, value in settings if kind in of.split(","))
             for kind in ("producer", "consumer", "admin")}
    compare("\n".join((
        f'{source} {{"name":"x",@SOURCE,"topic.creation.groups":"g",{every["producer"]},{every["admin"]}}}',
        f'{sink} {{"name":"x",@SINK,{every["consumer"]},"producer.override.acks":"1"}}',
        f'{sink} {{"name":"x",@SINK,"errors.deadletterqueue.topic.name":"d",{every["consumer"]},{every["producer"]},{every["admin"]}}}',
        f'{source} {{"name":"x",@SOURCE,"producer.override.linger.ms":" 7 ","producer.override.enable.idempotence":"TRUE","producer.override.none":" x ","producer.override.":"y","consumer.override.group.id":"g","admin.override.retries":"1"}}',
        f'~{source[1:]} {{"name":"x",@SOURCE,"producer.override.linger.ms":null,"producer.override.none":null}}',
        f'POST /connectors {{"name":"x","initial_state":"STOPPED","config":{{@SOURCE,"producer.override.linger.ms":null}}}}')))


@test
def validation_and_its_paths():
    full = "org.apache.kafka.connect.file.FileStreamSourceConnector"
    paths = ["FileStreamSource", "FileStreamSourceConnector", "Source", "SourceConnector", "x",
             "FileStreamSink", "file.FileStreamSource"]
    classes = ["FileStreamSource", "FileStreamSourceConnector", full]
    compare("\n".join(f'? PUT /connector-plugins/{path}/config/validate {{"connector.class": "{kind}"}}'
                      for path in paths for kind in classes))


@test
def loggers():
    compare("""
~ GET /admin/loggers
! GET /admin/loggers/root
GET /admin/loggers/none.such
PUT /admin/loggers/x.y {"level": "DEBUG"}
PUT /admin/loggers/x.y {"level": "DEBUG"}
GET /admin/loggers/x.y
GET /admin/loggers/x.y.z
GET /admin/loggers/x
PUT /admin/loggers/x.y.z {"level": "trace"}
PUT /admin/loggers/x.y {"level": "Warn"}
GET /admin/loggers/x.y.z
PUT /admin/loggers/x {"level": "ERROR"}
PUT /admin/loggers/x.y {"level": "FATAL"}
GET /admin/loggers/x.y
PUT /admin/loggers/x.y {"level": "ALL"}
GET /admin/loggers/x.y
PUT /admin/loggers/x.y {"level": "OFF"}
PUT /admin/loggers/x.y {"level": "OFF"}
GET /admin/loggers/x.y
PUT /admin/loggers/x.y {"level": "INFO", "other": "x"}
PUT /admin/loggers/x.y?scope=worker {"level": "INFO"}
PUT /admin/loggers/x.y?scope=cluster {"level": "INFO"}
PUT /admin/loggers/x.y?scope=bogus {"level": "INFO"}
PUT /admin/loggers/x.y {"level": ""}
PUT /admin/loggers/x.y {"level": " info"}
~ PUT /admin/loggers/ROOT {"level": "WARN"}
! GET /admin/loggers/root
! GET /admin/loggers/ROOT
""")


@test
def a_connector_that_cannot_start():
    compare("""
! POST /connectors {"name": "f", "config": {@SOURCE, "topic.creation.groups": "g"}}
! GET /connectors/f/status
~ DELETE /connectors/f
POST /connectors/nope/restart
POST /connectors/nope/restart?includeTasks=true
POST /connectors/nope/restart?onlyFailed=true
! POST /connectors/nope/tasks/0/restart
! PUT /connectors/nope/stop
PUT /connectors/nope/pause
PUT /connectors/nope/resume
""")


INSERT = ('"transforms": "i", "transforms.i.topic.field": "f", '
          '"transforms.i.type": "org.apache.kafka.connect.transforms.InsertField$Value"')


@test
def tasks_that_have_failed_and_what_restarts_them():
    compare("""
POST /connectors {"name": "bad", "config": {@SOURCE, @INSERT}}
WAIT bad RUNNING FAILED
GET /connectors/bad/status
GET /connectors/bad/tasks/0/status
GET /connectors?expand=status
POST /connectors/bad/restart?onlyFailed=true
WAIT bad RUNNING FAILED
POST /connectors/bad/restart
SETTLE bad
POST /connectors/bad/restart?includeTasks=true&onlyFailed=true
WAIT bad RUNNING FAILED
POST /connectors/bad/restart?includeTasks=true
WAIT bad RUNNING FAILED
POST /connectors/bad/tasks/0/restart
WAIT bad RUNNING FAILED
PUT /connectors/bad/pause
SETTLE bad
PUT /connectors/bad/resume
SETTLE bad
PUT /connectors/bad/stop
WAIT bad STOPPED
POST /connectors/bad/restart?includeTasks=true&onlyFailed=true
PUT /connectors/bad/config {@SOURCE}
GET /connectors/bad/tasks
GET /connectors/bad/status
PUT /connectors/bad/resume
WAIT bad RUNNING RUNNING
PUT /connectors/bad/config {@SOURCE, @INSERT}
SETTLE bad
DELETE /connectors/bad
GET /connectors/bad/status
""".replace("@INSERT", INSERT), files={"in.txt": "one\n"})


@test
def configurations_that_change_while_it_does_not_run():
    compare("""
POST /connectors {"name": "c", "config": {@SOURCE}}
WAIT c RUNNING RUNNING
PUT /connectors/c/pause
WAIT c PAUSED PAUSED
PUT /connectors/c/config {@SOURCE, "batch.size": "7"}
SETTLE c
GET /connectors/c
GET /connectors/c/tasks
PATCH /connectors/c/config {"batch.size": "8"}
SETTLE c
GET /connectors/c/tasks
POST /connectors/c/restart?includeTasks=true
SETTLE c
POST /connectors/c/tasks/0/restart
SETTLE c
PUT /connectors/c/stop
WAIT c STOPPED
PUT /connectors/c/pause
SETTLE c
GET /connectors/c/status
PUT /connectors/c/config {@SOURCE, "batch.size": "9"}
SETTLE c
GET /connectors/c/tasks
PUT /connectors/c/stop
WAIT c STOPPED
PUT /connectors/c/config {@SINK, "tasks.max": "3"}
GET /connectors/c
GET /connectors/c/status
GET /connectors/c/tasks
PUT /connectors/c/resume
WAIT c RUNNING RUNNING RUNNING RUNNING
GET /connectors/c
GET /connectors/c/tasks
PATCH /connectors/c/config {"tasks.max": "1"}
WAIT c RUNNING RUNNING
GET /connectors/c/tasks
GET /connectors/c/tasks/1/status
PATCH /connectors/c/config {"tasks.max": "2"}
WAIT c RUNNING RUNNING RUNNING
GET /connectors/c/tasks/1/status
PUT /connectors/c/pause
WAIT c PAUSED PAUSED PAUSED
PATCH /connectors/c/config {"tasks.max": "1"}
SETTLE c
GET /connectors/c
DELETE /connectors/c
""", files={"in.txt": "one\n"})


@test
def offsets_outlive_a_connector():
    """Its topics do, too, in a standalone worker, but not in one of a group, nor in ours."""
    compare("""
POST /connectors {"name": "o", "config": {@SOURCE}}
WAIT o RUNNING RUNNING
PUT /connectors/o/stop
WAIT o STOPPED
GET /connectors/o/offsets
GET /connectors/o/topics
DELETE /connectors/o
GET /connectors/o/offsets
! GET /connectors/o/topics
POST /connectors {"name": "o", "config": {@SOURCE}, "initial_state": "STOPPED"}
GET /connectors/o/offsets
! GET /connectors/o/topics
PATCH /connectors/o/offsets {"offsets": [{"partition": {"filename": "FOLDER/in.txt"}, "offset": {"position": 4}}]}
GET /connectors/o/offsets
PUT /connectors/o/resume
WAIT o RUNNING RUNNING
PUT /connectors/o/stop
WAIT o STOPPED
GET /connectors/o/offsets
GET /connectors/o/topics
PUT /connectors/o/topics/reset
GET /connectors/o/topics
DELETE /connectors/o/offsets
GET /connectors/o/offsets
PUT /connectors/o/resume
WAIT o RUNNING RUNNING
PUT /connectors/o/stop
WAIT o STOPPED
GET /connectors/o/offsets
GET /connectors/o/topics
DELETE /connectors/o
""", files={"in.txt": "one\ntwo\n"})


@test
def cross_origin_requests():
    compare("""
[Origin: http://good.example] GET /connectors/x
[Origin: http://bad.example] GET /connectors/x
[Origin: http://good.example] [Access-Control-Request-Method: PUT] OPTIONS /connectors
[Origin: http://bad.example] [Access-Control-Request-Method: PUT] OPTIONS /connectors
[Origin: http://good.example] [Access-Control-Request-Method: DELETE] OPTIONS /connectors/x
""")


@test
def random_requests():
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randint(1, 10**6)
    print(f"# SEED={seed}")
    compare("\n".join(RandomRequests(seed).lines(int(os.environ.get("COUNT", "60")))),
            files={"in.txt": "one\ntwo\n"})


@test
def names_with_any_character():
    """The last one: what Jetty does not let in a path stays in Kafka Connect for ever."""
    names = ["a b", "a%b", "ü", "a+b", "a?b", "a#b", "a\\\\b", 'a\\"b', "a;b", "日本", "a\\tb",
             " lead", "a&b=c", "..", ".", "😀", "a\\nb", "\\u0001", "<b>", "a,b", "[x]", "|"]
    import json
    import urllib.parse
    lines = []
    for name in names:
        real = json.loads(f'"{name}"')
        path = urllib.parse.quote(real.strip(), safe="")
        lines += [f'POST /connectors {{"name": "{name}", "config": {{@SOURCE}}, "initial_state": "STOPPED"}}',
                  f"GET /connectors/{path}", f"GET /connectors/{path}/config",
                  f"PUT /connectors/{path}/config {{@SOURCE}}", f"DELETE /connectors/{path}",
                  f"GET /connectors/{path}/status", f"PUT /connectors/{path}/config {{@SOURCE}}",
                  f"DELETE /connectors/{path}"]
    compare("\n".join(lines))


if __name__ == "__main__":
    try:
        main(sys.argv[2:])
    finally:
        if peers.folder:
            peers.stop()

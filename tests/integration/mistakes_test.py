"""A configuration with ten mistakes gives ten messages at once, each with its key, and starts
nothing: by validation and by POST /connectors, for real plugins.

usage: mistakes_test.py SLUICE [WORD…]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_worker import RunningWorker
from tap import check_equal, main, test

SLUICE = sys.argv[1]

POSTGRES = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "",
    "database.port": "70000",
    "database.user": "sluice",
    "database.sslmode": "on",
    "topic.prefix": "our shop",
    "slot.name": "Shop",
    "table.include.lst": "public.orders",
    "schema.include.list": "(public",
    "heartbeat.interval.ms": "-5",
    "tombstones.on.delete": "yes",
}

POSTGRES_MISTAKES = [
    ("database.hostname",
     "Invalid value  for configuration database.hostname: String must be non-empty"),
    ("database.port",
     "Invalid value 70000 for configuration database.port: Value must be no more than 65535"),
    ("database.dbname",
     'Missing required configuration "database.dbname" which has no default value.'),
    ("database.sslmode",
     "Invalid value on for configuration database.sslmode: String must be one of (case "
     "insensitive): disable, allow, prefer, require, verify-ca, verify-full"),
    ("topic.prefix",
     "Invalid value our shop for configuration topic.prefix: only letters, digits, underscores, "
     "hyphens and dots are allowed, as in names of topics"),
    ("slot.name",
     "Invalid value Shop for configuration slot.name: 1 to 63 lower-case letters, digits and "
     "underscores are allowed"),
    ("heartbeat.interval.ms",
     "Invalid value -5 for configuration heartbeat.interval.ms: Value must be at least 0"),
    ("schema.include.list",
     "Invalid value (public for configuration schema.include.list: no regular expression: "
     "Unmatched ( or \\("),
    ("tombstones.on.delete",
     "Invalid value yes for configuration tombstones.on.delete: Expected value to be either true "
     "or false"),
    ("table.include.lst",
     "Unknown configuration 'table.include.lst': did you mean 'table.include.list'?"),
]

HTTP = {
    "connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector",
    "topics": "orders",
    "tasks.max": "0",
    "errors.tolerance": "some",
    "value.converter": "NoSuchConverter",
    "http.url": "example.org/orders",
    "http.authorization.type": "bearer",
    "http.headers.additional": "X-Shop",
    "http.ssl.ca.location": "/no/such/ca.pem",
    "batch.max.size": "0",
    "behavior.on.null.values": "drop",
    "retry.backof.ms": "500",
}

HTTP_MISTAKES = [
    ("tasks.max", "Invalid value 0 for configuration tasks.max: Value must be at least 1"),
    ("errors.tolerance",
     "Invalid value some for configuration errors.tolerance: String must be one of: "
     "none, all"),
    ("value.converter",
     "Invalid value NoSuchConverter for configuration value.converter: Class NoSuchConverter "
     "could not be found."),
    ("http.url", "http.url is 'example.org/orders': must begin with http:// or https://"),
    ("http.bearer.token",
     "http.bearer.token is needed by http.authorization.type=bearer, and not set"),
    ("http.headers.additional",
     "http.headers.additional has 'X-Shop': must be Name:value, in one line"),
    ("http.ssl.ca.location",
     "http.ssl.ca.location is '/no/such/ca.pem', which cannot be read: No such file or "
     "directory"),
    ("batch.max.size",
     "Invalid value 0 for configuration batch.max.size: Value must be at least 1"),
    ("behavior.on.null.values",
     "Invalid value drop for configuration behavior.on.null.values: String must be one of (case "
     "insensitive): fail, ignore, delete"),
    ("retry.backof.ms",
     "Unknown configuration 'retry.backof.ms': did you mean 'retry.backoff.ms'?"),
]


def validated(worker, config):
    """[(key, message)] of an answer that must be consistent in itself."""
    status, answer = worker.call(
        "PUT", f"/connector-plugins/{config['connector.class']}/config/validate", config)
    check_equal(status, 200)
    found = [(entry["value"]["name"], message) for entry in answer["configs"]
             for message in entry["value"]["errors"]]
    check_equal(answer["error_count"], len(found))
    return found


def check_ten_mistakes(config, mistakes):
    check_equal(len(mistakes), 10)
    config = {"name": "mistaken", **config}
    with RunningWorker([SLUICE, "standalone"]) as worker:
        check_equal(sorted(validated(worker, config)), sorted(mistakes))
        status, answer = worker.call("POST", "/connectors",
                                     {"name": "mistaken", "config": config})
        first, *messages, last = answer["message"].split("\n")
        check_equal(status, 400)
        check_equal(first, "Connector configuration is invalid and contains the following 10 "
                           "error(s):")
        check_equal(sorted(messages), sorted(message for _, message in mistakes))
        assert last.endswith("`/connector-plugins/{connectorType}/config/validate`"), last
        check_equal(worker.call("GET", "/connectors"), (200, []))


@test
def ten_mistakes_of_a_postgres_source_are_ten_messages():
    check_ten_mistakes(POSTGRES, POSTGRES_MISTAKES)


@test
def ten_mistakes_of_an_http_sink_are_ten_messages():
    check_ten_mistakes(HTTP, HTTP_MISTAKES)


@test
def with_the_mistakes_mended_nothing_is_left():
    mended = {**POSTGRES, "database.hostname": "localhost", "database.port": "5432",
              "database.dbname": "shop", "database.sslmode": "require", "topic.prefix": "shop",
              "slot.name": "shop", "schema.include.list": "public",
              "heartbeat.interval.ms": "5000", "tombstones.on.delete": "true",
              "table.include.list": "public.orders"}
    del mended["table.include.lst"]
    with RunningWorker([SLUICE, "standalone"]) as worker:
        check_equal(validated(worker, {"name": "mended", **mended}), [])


@test
def a_password_is_in_no_message():
    config = {"name": "secret", **HTTP, "http.authorization.type": "basic",
              "http.basic.password": "hunter2\nhunter3", "http.headers.authorization": "hunter4"}
    with RunningWorker([SLUICE, "standalone"]) as worker:
        _, answer = worker.call("POST", "/connectors", {"name": "secret", "config": config})
        _, shown = worker.call(
            "PUT", f"/connector-plugins/{config['connector.class']}/config/validate", config)
        assert "hunter" not in str(answer) + str(shown) + worker.log(), (answer, shown)


main(sys.argv[2:])

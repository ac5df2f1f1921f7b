"""/metrics of a worker that moves records: every metric of the page, with the right numbers, in a
text that a strict reader takes.

usage: metrics_test.py SLUICE ROOT [WORD…]
"""
import json
import os
import re
import signal
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from prometheus import read  # noqa: E402
from running_broker import RunningBroker  # noqa: E402
from running_worker import RunningWorker, until  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

SLUICE, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
ODD = 'o"d\\d,{name}=\u00e4 \u2603'

# What JMX has of a worker of Kafka Connect 4.1, by group.
KAFKAS = {
    "connect-worker-metrics": """connector-count connector-startup-attempts-total
        connector-startup-failure-percentage connector-startup-failure-total
        connector-startup-success-percentage connector-startup-success-total task-count
        task-startup-attempts-total task-startup-failure-percentage task-startup-failure-total
        task-startup-success-percentage task-startup-success-total connector-destroyed-task-count
        connector-failed-task-count connector-paused-task-count connector-restarting-task-count
        connector-running-task-count connector-total-task-count connector-unassigned-task-count""",
    "connect-worker-rebalance-metrics": """completed-rebalances-total connect-protocol epoch
        leader-name rebalance-avg-time-ms rebalance-max-time-ms rebalancing
        time-since-last-rebalance-ms""",
    "connector-metrics": "connector-class connector-type connector-version status",
    "connector-task-metrics": """batch-size-avg batch-size-max offset-commit-avg-time-ms
        offset-commit-failure-percentage offset-commit-max-time-ms
        offset-commit-success-percentage pause-ratio running-ratio status""",
    "sink-task-metrics": """offset-commit-completion-rate offset-commit-completion-total
        offset-commit-seq-no offset-commit-skip-rate offset-commit-skip-total partition-count
        put-batch-avg-time-ms put-batch-max-time-ms sink-record-active-count
        sink-record-active-count-avg sink-record-active-count-max sink-record-lag-max
        sink-record-read-rate sink-record-read-total sink-record-send-rate sink-record-send-total""",
    "source-task-metrics": """poll-batch-avg-time-ms poll-batch-max-time-ms
        source-record-active-count source-record-active-count-avg source-record-active-count-max
        source-record-poll-rate source-record-poll-total source-record-write-rate
        source-record-write-total transaction-size-avg transaction-size-max
        transaction-size-min""",
    "task-error-metrics": """deadletterqueue-produce-failures deadletterqueue-produce-requests
        last-error-timestamp total-errors-logged total-record-errors total-record-failures
        total-records-skipped total-retries"""}

# What the imported dashboards and alerts ask for, but for the JVM's and the clients' own.
STRIMZIS = """worker_connector_count worker_task_count worker_connector_running_task_count
    worker_connector_paused_task_count worker_connector_failed_task_count
    worker_connector_unassigned_task_count worker_connector_destroyed_task_count connector_status
    connector_connector_class connector_connector_type connector_connector_version
    connector_task_status task_error_total_record_failures worker_rebalance_rebalancing
    coordinator_assigned_connectors coordinator_assigned_tasks"""
CONFLUENTS = """app connector_metrics connect_worker_metrics_connector_total_task_count
    connect_worker_metrics_connector_running_task_count
    connect_worker_metrics_connector_paused_task_count
    connect_worker_metrics_connector_failed_task_count
    connect_worker_metrics_connector_unassigned_task_count
    connect_worker_metrics_connector_destroyed_task_count connect_worker_metrics_connector_count
    connect_worker_metrics_task_count connect_worker_metrics_connector_startup_success_total
    connect_worker_metrics_connector_startup_failure_total
    connect_worker_metrics_task_startup_success_total
    connect_worker_metrics_task_startup_failure_total connector_task_metrics_batch_size_avg
    connector_task_metrics_batch_size_max connector_task_metrics_offset_commit_avg_time_ms
    connector_task_metrics_offset_commit_success_percentage connector_task_metrics_running_ratio
    connector_task_metrics_pause_ratio source_task_metrics_source_record_poll_rate
    source_task_metrics_source_record_write_rate
    source_task_metrics_source_record_active_count_avg
    source_task_metrics_source_record_active_count_max source_task_metrics_poll_batch_avg_time_ms
    source_task_metrics_poll_batch_max_time_ms sink_task_metrics_sink_record_read_rate
    sink_task_metrics_sink_record_send_rate sink_task_metrics_sink_record_active_count_avg
    sink_task_metrics_sink_record_active_count_max sink_task_metrics_put_batch_avg_time_ms
    sink_task_metrics_put_batch_max_time_ms sink_task_metrics_partition_count
    sink_task_metrics_offset_commit_completion_rate sink_task_metrics_offset_commit_skip_rate
    task_error_metrics_total_record_errors task_error_metrics_total_record_failures
    task_error_metrics_total_records_skipped task_error_metrics_total_retries
    task_error_metrics_total_errors_logged task_error_metrics_deadletterqueue_produce_requests
    task_error_metrics_deadletterqueue_produce_failures
    connect_worker_rebalance_metrics_completed_rebalances_total
    connect_worker_rebalance_metrics_rebalance_avg_time_ms
    connect_worker_rebalance_metrics_time_since_last_rebalance_ms"""


def page():
    with open(os.path.join(ROOT, "docs", "worker-metrics.md"), encoding="utf-8") as file:
        return file.read()


class Pipeline:
    """A broker and a worker with a file source, a file sink, and a sink that skips half."""

    def __init__(self):
        self.broker = RunningBroker(SLUICE)
        self.worker = RunningWorker([SLUICE, "standalone"], {
            "bootstrap.servers": self.broker.address, "offset.flush.interval.ms": "200",
            "restart.backoff.initial.ms": "1"})

    def __enter__(self):
        return self

    def __exit__(self, *trouble):
        self.worker.__exit__(*trouble)
        self.broker.__exit__(*trouble)

    def path(self, name):
        return os.path.join(self.worker.folder, name)

    def write(self, lines):
        with open(self.path("in.txt"), "a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    def create(self, name, **config):
        config = {key.replace("_", "."): value for key, value in config.items()}
        status, body = self.worker.call("POST", "/connectors", {"name": name, "config": config})
        if status != 201:
            raise AssertionError(body)

    def source(self, name="lines-in"):
        self.write([])
        self.create(name, connector_class="FileStreamSource", file=self.path("in.txt"), topic="t")

    def sink(self, name="lines-out", **more):
        self.create(name, connector_class="FileStreamSink", file=self.path(name), topics="t",
                    consumer_override_metadata_max_age_ms="500", **more)

    def text(self):
        status, headers, content = self.worker.request("GET", "/metrics")
        check_equal((status, headers["Content-Type"]),
                    (200, "text/plain; version=0.0.4; charset=utf-8"))
        return content.decode()

    def families(self):
        return read(self.text())

    def value(self, name, **labels):
        families = self.families()
        found = families[name].all(**labels) if name in families else []
        return found[0] if len(found) == 1 else None

    def wait(self, number, name, **labels):
        until(lambda: self.value(name, **labels) == number,
              lambda: f"{name}{labels} is {self.value(name, **labels)}, not {number}")


@test
def the_page_names_every_metric_of_kafka_connect():
    text = page()
    for group, names in KAFKAS.items():
        part = text.split(f"### `{group}`")[1].split("\n#")[0]
        check_equal((group, sorted(re.findall(r"^\| `([a-z-]+)` \|", part, re.M))),
                    (group, sorted(names.split())))


@test
def what_moves_is_counted_and_each_metric_of_the_page_is_there():
    with Pipeline() as p:
        p.write([f"line {number}" for number in range(100)])
        p.source()
        p.sink()
        source, sink = {"connector": "lines-in", "task": "0"}, {"connector": "lines-out",
                                                                "task": "0"}
        for name, where in [("source_task_metrics_source_record_poll_total", source),
                            ("source_task_source_record_write_total", source),
                            ("sink_task_metrics_sink_record_read_total", sink),
                            ("sink_task_sink_record_send_total", sink)]:
            p.wait(100, f"kafka_connect_{name}", **where)
        p.wait(0, "kafka_connect_source_task_source_record_active_count", **source)
        p.wait(100, "kafka_consumergroup_group_offset", group="connect-lines-out", topic="t",
               partition="0")
        families = p.families()
        check_equal(families["kafka_consumergroup_group_lag"].value(**sink), 0)
        check_equal(families["kafka_partition_latest_offset"].value(**sink), 100)
        check_equal(families["sluice_sink_partition_position"].value(**sink), 100)
        check_equal(families["kafka_connect_sink_task_partition_count"].value(**sink), 1)
        check_equal(families["kafka_connect_worker_connector_startup_success_total"].value(), 2)
        check_equal(families["kafka_connect_worker_task_startup_attempts_total"].value(), 2)
        check_equal(families["kafka_connect_connector_task_running_ratio"].value(**sink), 1)
        for name in ("batch_size_max", "batch_size_avg"):
            for where in (source, sink):
                number = families[f"kafka_connect_connector_task_{name}"].value(**where)
                check_equal((name, 1 <= number <= 100), (name, True))
        rate = families["kafka_connect_source_task_source_record_poll_rate"].value(**source)
        check_equal(0 < rate <= 100 / 30, True)
        check_equal(families["kafka_connect_connector_metrics"].value(
            connector="lines-in", connector_type="source"), 1)
        named = re.findall(r"`((?:kafka|sluice)_[a-z_]+)`", page())
        check_equal([name for name in named if name not in families], [])
        extra = [name for name in families if name not in named and not re.match(
            "process_|sluice_task_gauge|kafka_connect_app|sluice_build_info", name)]
        check_equal(extra, [])
        asked = STRIMZIS.split() + CONFLUENTS.split()
        check_equal([name for name in asked if not families[f"kafka_connect_{name}"].rows], [])


@test
def a_paused_sink_is_told_by_state_and_ratio():
    with Pipeline() as p:
        p.source()
        p.sink()
        p.write(["one"])
        p.wait(1, "kafka_connect_sink_task_sink_record_read_total", connector="lines-out")
        p.worker.call("PUT", "/connectors/lines-out/pause")
        p.worker.wait_state("lines-out", "PAUSED PAUSED")
        p.write(["two", "three"])
        p.wait(3, "kafka_connect_source_task_source_record_write_total", connector="lines-in")
        check_equal(p.value("kafka_connect_connector_status", connector="lines-out",
                            status="paused"), 1)
        until(lambda: p.value("kafka_connect_connector_task_pause_ratio",
                              connector="lines-out") > 0)
        p.worker.call("PUT", "/connectors/lines-out/resume")
        p.wait(3, "kafka_connect_sink_task_sink_record_read_total", connector="lines-out")
        p.wait(0, "sluice_task_lag", connector="lines-out")


@test
def records_that_are_skipped_are_told_by_stage():
    with Pipeline() as p:
        p.source()
        p.sink("json", value_converter="org.apache.kafka.connect.json.JsonConverter",
               value_converter_schemas_enable="false", errors_tolerance="all",
               errors_log_enable="true")
        p.write(["1", "no json", "2", "{", "3"])
        where = {"connector": "json", "task": "0"}
        p.wait(2, "sluice_task_record_errors_total", stage="VALUE_CONVERTER", **where)
        p.wait(5, "kafka_connect_sink_task_sink_record_read_total", **where)
        families = p.families()
        for name, number in [("total_record_failures", 2), ("total_record_errors", 2),
                             ("total_records_skipped", 2), ("total_errors_logged", 2),
                             ("total_retries", 0), ("deadletterqueue_produce_requests", 0)]:
            check_equal((name, families[f"kafka_connect_task_error_{name}"].value(**where)),
                        (name, number))
        check_equal(families["kafka_connect_sink_task_sink_record_send_total"].value(**where), 3)
        check_equal(families["kafka_connect_task_error_last_error_timestamp"].value(**where)
                    > 1.6e12, True)


@test
def deaths_and_restarts_are_counted():
    with Pipeline() as p:
        p.source()
        p.worker.wait_state("lines-in", "RUNNING RUNNING")
        host = p.worker.host_of("lines-in")
        os.kill(host, signal.SIGKILL)
        until(lambda: p.worker.host_of("lines-in") not in (None, host))
        p.wait(1, "sluice_connector_restarts_total", connector="lines-in")
        p.wait(1, "sluice_host_deaths_total")
        p.worker.wait_state("lines-in", "RUNNING RUNNING")
        p.worker.call("POST", "/connectors/lines-in/tasks/0/restart")
        p.wait(1, "sluice_task_restarts_total", connector="lines-in", task="0")


@test
def any_name_is_a_label():
    with Pipeline() as p:
        p.source(ODD)
        p.source("other")
        families = p.families()
        names = {labels["connector"]
                 for labels in families["kafka_connect_connector_status"].labels()}
        check_equal(names, {ODD, "other"})
        path = "/connectors/" + urllib.parse.quote(ODD, safe="")
        check_equal(p.worker.call("DELETE", path), (204, None))
        names = {labels["connector"]
                 for labels in p.families()["kafka_connect_connector_status"].labels()}
        check_equal(names, {"other"})


@test
def prometheus_own_client_reads_the_same():
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError as error:
        raise Skip("python3-prometheus-client is not installed") from error
    with Pipeline() as p:
        p.write(["one", "two"])
        p.source(ODD)
        p.wait(2, "sluice_task_records_total", connector=ODD)
        text = p.text()
        theirs = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                theirs[sample.name, frozenset(sample.labels.items())] = json.dumps(sample.value)
        ours = {(family.name, row): json.dumps(number) for family in read(text).values()
                for row, number in family.rows.items()}
        check_equal(theirs, ours)


main(sys.argv[3:])

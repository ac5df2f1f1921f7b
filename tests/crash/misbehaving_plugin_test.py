"""Plugins that do all that a plugin should not do, beside a connector that minds its own business:
each fails alone, says where, and runs again when it has been mended.

usage: misbehaving_plugin_test.py PROGRAM TEST_PLUGIN [WORD…]
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import plugin_system  # noqa: E402
from plugin_system import NEVER, sink, source, until  # noqa: E402
from tap import Skip, check_equal, main, test  # noqa: E402

PROGRAM, PLUGIN = sys.argv[1], os.path.abspath(sys.argv[2])


def System(settings=None, calm=True):
    return plugin_system.System(PROGRAM, PLUGIN, settings, calm)


def transform(how):
    return {**source("", ""), "transforms": "x", "transforms.x.type": "test-transform",
            "transforms.x.test.misbehave": how, "transforms.x.test.misbehave.at": "apply",
            "errors.tolerance": "all"}


def converter(how):
    return {**source("", ""), "value.converter": "test-converter",
            "value.converter.test.misbehave": how, "value.converter.test.misbehave.at": "encode"}


def fill_topic(system):
    """Ten records for the sinks."""
    system.create("filler", {"connector.class": "TestSource", "test.topic": "tested",
                             "test.tell": f"{system.folder}/filler.told"})
    until(lambda: system.told("filler"), system.worker.log)


def check_all_fail(system, connectors):
    """`connectors`: name -> (configuration, parts of the trace)."""
    for name, (config, _) in connectors.items():
        system.create(name, config)
    for name, (config, parts) in connectors.items():
        trace = system.wait_failed(name)
        for part in (f"connector host of '{name}'",) + parts:
            if part not in trace:
                raise AssertionError(f"{trace!r} lacks {part!r}")
        check_equal({task["state"] for task in system.status(name)["tasks"]} - {"FAILED"}, set())
    system.check_neighbour()
    for name, (config, _) in connectors.items():
        system.mend(name, config)


SIGSEGV = "was killed by signal 11 (Segmentation fault)"


@test
def a_crash_in_any_callback_fails_its_connector_and_names_the_callback():
    with System() as system:
        fill_topic(system)
        check_all_fail(system, {
            "split": (source("crash", "split"), (SIGSEGV, "in split")),
            "create": (source("crash", "create"), (SIGSEGV, "in create of task 0")),
            "poll": (source("abort", "poll"), ("was killed by signal 6 (Aborted)", "in poll of task 0")),
            "committed": (source("crash", "committed"), (SIGSEGV, "in committed of task 0")),
            "encode": (converter("crash"), (SIGSEGV, "in convert of task 0")),
            "apply": (transform("crash"), (SIGSEGV, "in convert of task 0")),
            "open": (sink("crash", "open"), (SIGSEGV, "in open of task 0")),
            "put": (sink("crash", "put"), (SIGSEGV, "in put of task 0")),
            "flush": (sink("crash", "flush"), (SIGSEGV, "in flush of task 0")),
        })


@test
def whoever_calls_exit_fails_alone():
    with System() as system:
        check_all_fail(system, {
            "exit": (source("exit", "poll"), ("exited with code 3", "in poll of task 0")),
            "_exit": (source("_exit", "create"), ("exited with code 0", "in create of task 0")),
        })


@test
def a_callback_that_does_not_return_is_ended_when_its_time_is_over():
    with System() as system:
        fill_topic(system)
        limit = {"host_call_timeout_ms": "4000"}
        words = "did not return within 4000 ms (host.call.timeout.ms)"
        check_all_fail(system, {
            "create": (source("block", "create", **limit), (f"create of task 0 {words}",)),
            "poll": (source("spin", "poll", **limit), (f"poll of task 0 {words}",)),
            "put": (sink("block", "put", **limit), (f"put of task 0 {words}",)),
            "flush": (sink("spin", "flush", **limit), (f"flush of task 0 {words}",)),
        })


@test
def a_host_whose_main_thread_blocks_is_ended_when_it_does_not_answer():
    with System({"host.liveness.timeout.ms": "8000"}, calm=False) as system:
        system.worker.call("POST", "/connectors", {"name": "quick", "config": source("", "")})
        system.worker.wait_state("quick", "RUNNING RUNNING")
        blocked = source("block", "split")
        check_equal(system.worker.call("POST", "/connectors", {"name": "split", "config": blocked})[0], 500)
        trace = system.wait_failed("split")
        if "did not answer for" not in trace or "in split" not in trace:
            raise AssertionError(trace)


@test
def a_check_that_crashes_is_an_answer_and_others_are_checked():
    with System() as system:
        for how, words in (("crash", SIGSEGV), ("exit", "exited with code 3")):
            status, body = system.worker.call("POST", "/connectors",
                                              {"name": "c", "config": source(how, "check")})
            check_equal((status, body["message"]), (500, f"the inspection of plugins {words} in check"))
        system.mend("c", source("", ""))
        system.check_neighbour()


@test
def what_a_plugin_prints_is_logged_with_its_name_and_breaks_nothing():
    with System() as system:
        system.create("printer", source("print", "poll", test_misbehave_once=f"{system.folder}/printed",
                                        test_tell=f"{system.folder}/printer.told"))
        until(lambda: system.told("printer"), system.worker.log)
        for part in ("INFO [printer|worker] line 1999 of a plugin",
                     "INFO [printer|worker] {\"task\":0,\"state\":\"FAILED\""):
            until(lambda: part in system.worker.log(), lambda: f"the log lacks {part!r}")
        check_equal(system.worker.state("printer"), "RUNNING RUNNING")
        system.check_neighbour()


@test
def damage_to_its_own_process_ends_it():
    with System() as system:
        check_all_fail(system, {
            "close": (source("close", "poll"), ()),
            "write": (source("write", "poll"), ("the control channel",)),
        })


@test
def what_does_no_harm_to_others_is_let_be_and_leaves_nothing_behind():
    with System() as system:
        deeds = {how: source(how, "poll", host_open_files_max="200",
                             test_misbehave_once=f"{system.folder}/once-{how}")
                 for how in ("thread", "child", "process", "descriptors")}
        for name, config in deeds.items():
            system.create(name, config)
        for name in deeds:
            until(lambda: os.path.exists(f"{system.folder}/once-{name}"), system.worker.log)
            system.worker.wait_state(name, "RUNNING RUNNING")
        system.check_neighbour()
        for name in deeds:
            check_equal(system.worker.call("DELETE", f"/connectors/{name}")[0], 204)
            until(lambda: system.worker.host_of(name) is None, lambda: f"{name} has left something")


@test
def the_children_of_a_crash_go_with_it():
    with System() as system:
        system.create("parent", source("child-crash", "poll"))
        system.wait_failed("parent")
        until(lambda: system.worker.host_of("parent") is None, lambda: "a child is left")


@test
def memory_has_a_limit_that_is_told():
    with System() as system:
        with open(f"/proc/{system.worker.process.pid}/maps", encoding="utf-8") as maps:
            text = maps.read()
        if "libasan" in text or "libtsan" in text:
            raise Skip("a sanitizer's memory cannot be limited")
        check_all_fail(system, {
            "leak": (source("leak", "poll", host_memory_max_bytes=str(100 << 20)),
                     (SIGSEGV, "in poll of task 0", "of 104857600 bytes of host.memory.max.bytes allocated"))})


@test
def a_crash_is_restarted_by_policy_until_the_budget_is_used_up():
    with System() as system:
        quick = {"restart_policy": "on-crash", "restart_backoff_initial_ms": "1",
                 "restart_max_attempts": "3"}
        system.create("once", source("crash", "poll", test_misbehave_once=f"{system.folder}/once",
                                     test_tell=f"{system.folder}/once.told", **quick))
        until(lambda: system.told("once"), system.worker.log)
        system.worker.wait_state("once", "RUNNING RUNNING")
        system.create("always", source("crash", "poll", **quick))
        until(lambda: "connector 'always' stays FAILED: it was restarted 3 times" in system.worker.log(),
              system.worker.log)
        system.wait_failed("always")
        metrics = system.worker.request("GET", "/metrics")[2].decode()
        for line in ('sluice_connector_restarts_total{connector="once"} 1',
                     'sluice_connector_restarts_total{connector="always"} 3'):
            if line not in metrics.splitlines():
                raise AssertionError(f"the metrics lack {line}")
        system.check_neighbour()


main(sys.argv[3:])

"""Plugins that mean harm: they write into the worker's channels and into what it shares with them, flood it, stop
themselves, leave crowds of processes, and return what nobody expects. Each fails alone or does no harm; the worker
answers, and a connector beside them minds its own business in the process that it had.

usage: hostile_plugin_test.py PROGRAM TEST_PLUGIN [WORD…]
"""
import ctypes
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
from plugin_system import System, source, until  # noqa: E402
from tap import check_equal, main, test  # noqa: E402

PROGRAM, PLUGIN = sys.argv[1], os.path.abspath(sys.argv[2])
CREATE_RULESET, SCOPE_OF_SIGNALS = 444, 6


def system(**settings):
    return System(PROGRAM, PLUGIN, settings={key.replace("_", "."): value for key, value in settings.items()})


def check_answers(one):
    """REST says all that it can say."""
    for path in ("/connectors?expand=status&expand=info", "/health"):
        check_equal(one.worker.call("GET", path)[0], 200)
    check_equal(one.worker.request("GET", "/metrics")[0], 200)


def check_ends(one, connectors):
    """`connectors`: name -> (configuration, a part of the trace). What it says and what its host says may mix."""
    for name, (config, _) in connectors.items():
        one.create(name, config)
    for name, (_, part) in connectors.items():
        trace = one.wait_failed(name)
        if f"connector host of '{name}'" not in trace or part not in trace:
            raise AssertionError(f"{trace!r} lacks {part!r}")
    check_answers(one)
    one.check_neighbour()


@test
def whoever_writes_into_the_control_channel_fails_alone_or_does_no_harm():
    with system() as one:
        one.create("nonsense", source("nonsense", "poll", test_misbehave_once=f"{one.folder}/nonsense",
                                      test_tell=f"{one.folder}/nonsense.told"))
        until(lambda: one.told("nonsense"), one.worker.log)
        check_ends(one, {
            "much": (source("much", "poll"), "was killed: "),
            "tasks": (source("tasks", "poll"), "was killed: "),
        })


@test
def floods_are_read_when_there_is_time():
    with system() as one:
        one.create("flood", source("flood", "poll", test_misbehave_once=f"{one.folder}/flood",
                                   test_tell=f"{one.folder}/flood.told"))
        one.create("prints", source("prints", "poll", host_call_timeout_ms="3000"))
        one.check_neighbour()
        check_answers(one)
        until(lambda: one.told("flood"), one.worker.log)
        trace = one.wait_failed("prints")
        if "poll of task 0 did not return within 3000 ms" not in trace or "xxx" not in trace:
            raise AssertionError(trace[:300])
        one.check_neighbour()


@test
def damage_that_it_does_itself_ends_it():
    with system(host_liveness_timeout_ms="8000") as one:
        check_ends(one, {
            "page": (source("page", "poll"), "exited with code 9"),
            "stop": (source("stop", "poll"), "did not answer for"),
            "processes": (source("processes", "poll"), "exited with code 8"),
        })
        for name in ("page", "stop", "processes"):
            until(lambda: one.worker.host_of(name) is None, lambda: f"{name} has left something")


@test
def what_it_takes_from_itself_is_its_own_loss():
    with system() as one:
        for how in ("limits", "channel"):
            one.create(how, source(how, "poll", test_misbehave_once=f"{one.folder}/{how}"))
            until(lambda: os.path.exists(f"{one.folder}/{how}"), one.worker.log)
        one.check_neighbour()
        check_answers(one)
        for how in ("limits", "channel"):
            check_equal(one.worker.call("DELETE", f"/connectors/{how}")[0], 204)
            until(lambda: one.worker.host_of(how) is None, lambda: f"{how} has left something")


@test
def what_it_returns_is_told_in_words_that_fit():
    with system() as one:
        for trouble, words in (("create-nothing", "create said OK and made no task"),
                               ("poll-silent", "it failed with status 77 (unknown status) and gave no reason"),
                               ("poll-long", "    ")):
            one.create(trouble, source("", "", test_trouble=trouble))
            one.worker.wait_state(trouble, "RUNNING FAILED")
            trace = one.status(trouble)["tasks"][0]["trace"]
            if words not in trace or len(trace) > 1 << 17:
                raise AssertionError(trace[:300])
        check_answers(one)
        one.check_neighbour()


@test
def its_parent_is_out_of_its_reach():
    if ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1) < SCOPE_OF_SIGNALS:
        print("# the kernel is older than Linux 6.12")
        return
    with system() as one:
        one.create("parent", source("parent", "poll", test_tell=f"{one.folder}/parent.told"))
        until(lambda: one.told("parent"), one.worker.log)
        one.check_neighbour()


main(sys.argv[3:])

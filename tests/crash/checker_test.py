"""The checker finds every fault that is planted in a good history, by its kind, and none in a good one.

usage: checker_test.py [WORD…]
"""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from checker import History, check
from tap import check_equal, main, test


def send(history, value, at, producer="p", partition="t-0", once=True):
    history.note("send", value=value, producer=producer, partition=partition, t0=at, once=once)


def read(history, asked, records, at, **fields):
    history.note("read", **{"reader": "r", "group": None, "partition": "t-0", "asked": asked,
                            "records": records, "high": None, "low": None, "t0": at, "t1": at + 1,
                            **fields})


def commit(history, offset, t0, t1):
    history.note("commit", group="g", partition="t-0", offset=offset, t0=t0, t1=t1)


def committed(history, offset, t0):
    history.note("committed", group="g", partition="t-0", offset=offset, t0=t0, t1=t0 + 1)


def good():
    """Ten values, all acknowledged but the last, read twice, committed up to 6."""
    history = History()
    for number in range(10):
        send(history, f"v{number}", number)
        if number < 9:
            history.note("acked", value=f"v{number}", offset=number)
    log = [[number, f"v{number}"] for number in range(10)]
    read(history, 0, log[:4], 20, high=4, low=0, group="g")
    read(history, 4, log[4:8], 30, high=9, low=0, group="g")
    commit(history, 4, 22, 23)
    commit(history, 6, 32, 33)
    committed(history, 6, 40)
    history.note("final", partition="t-0", low=0, high=10, records=log)
    return history


def final(history):
    return history.of("final")[0]


def found(history):
    return check(history).kinds()


@test
def a_good_history_has_no_fault():
    check_equal(found(good()), [])


@test
def an_unknown_outcome_may_be_there_or_not():
    history = good()
    final(history)["records"].pop()
    final(history)["high"] = 9
    check_equal(found(history), [])


@test
def a_lost_value_is_found():
    history = good()
    final(history)["records"] = final(history)["records"][:8]
    final(history)["high"] = 8
    check_equal(found(history), ["high watermark went back", "lost"])
    history = good()
    send(history, "w", 11)
    history.note("acked", value="w", offset=None)
    check_equal(found(history), ["lost"])


@test
def what_was_trimmed_is_not_lost():
    history = good()
    history.note("trimmed", partition="t-0", low=5, t0=50, t1=51)
    final(history).update(low=5, records=final(history)["records"][5:])
    read(history, 2, [[5, "v5"]], 60, low=5)
    check_equal(found(history), [])


@test
def a_hole_is_found():
    history = good()
    del final(history)["records"][9]
    check_equal(found(history), ["hole"])


@test
def a_doubled_value_is_found_unless_it_may_be_sent_again():
    for once, wanted in ((True, ["doubled"]), (False, [])):
        history = good()
        send(history, "w", 11, once=once)
        final(history)["records"] += [[10, "w"], [11, "w"]]
        final(history)["high"] = 12
        check_equal(found(history), wanted)


@test
def reordered_values_are_found():
    history = good()
    send(history, "w0", 11)
    send(history, "w1", 11)
    final(history)["records"] += [[10, "w1"], [11, "w0"]]
    final(history)["high"] = 12
    check_equal(found(history), ["reordered"])


@test
def two_producers_may_be_in_any_order():
    history = good()
    send(history, "w0", 11, producer="a")
    send(history, "w1", 11, producer="b")
    final(history)["records"] += [[10, "w1"], [11, "w0"]]
    final(history)["high"] = 12
    check_equal(found(history), [])


@test
def a_value_seen_before_it_is_committed_is_found():
    history = good()
    read(history, 8, [[8, "v8"], [9, "v9"]], 40, high=9)
    check_equal(found(history), ["seen too early"])
    history = good()
    read(history, 9, [[9, "v9"]], 7)
    check_equal(found(history), ["seen too early"])


@test
def a_value_seen_and_taken_back_is_found():
    history = good()
    send(history, "w", 11)
    read(history, 10, [[10, "w"]], 40)
    check_equal(found(history), ["taken back"])


@test
def an_offset_given_away_twice_is_found():
    history = good()
    send(history, "w", 11)
    read(history, 9, [[9, "w"]], 40)
    check_equal(found(history), ["offset reused"])
    history = good()
    send(history, "w", 11)
    history.note("acked", value="w", offset=9)
    check_equal(found(history), ["lost"])


@test
def changed_content_is_found():
    history = good()
    final(history)["records"][9][1] = "v9!"
    check_equal(found(history), ["content changed"])
    history = good()
    read(history, 3, [[3, "v3!"]], 40)
    check_equal(found(history), ["content changed"])


@test
def a_value_in_the_wrong_partition_is_found():
    history = good()
    send(history, "w", 11, partition="t-1")
    final(history)["records"].append([10, "w"])
    final(history)["high"] = 11
    check_equal(found(history), ["misplaced"])


@test
def a_refused_value_that_is_there_is_found():
    history = good()
    history.note("refused", value="v9")
    check_equal(found(history), ["stored though refused"])


@test
def a_reader_that_skips_or_goes_back_is_found():
    for asked, records in ((0, [[0, "v0"], [2, "v2"]]), (1, [[2, "v2"]]), (3, [[2, "v2"]])):
        history = good()
        read(history, asked, records, 40)
        check_equal(found(history), ["skipped"])


@test
def watermarks_that_go_back_are_found():
    history = good()
    read(history, 9, [], 40, high=8)
    check_equal(found(history), ["high watermark went back"])
    history = good()
    history.note("trimmed", partition="t-0", low=3, t0=40, t1=41)
    check_equal(found(history), ["log start went back"])
    history = good()
    read(history, 9, [], 30.5, high=8)  # At the same time as another: either may be older.
    check_equal(found(history), [])


@test
def a_lost_commit_is_found():
    for offset in (4, -1, 7):
        history = good()
        committed(history, offset, 50)
        check_equal(found(history), ["commit lost"])


@test
def a_commit_in_doubt_may_be_seen_but_not_taken_back():
    history = good()
    commit(history, 7, 44, None)
    committed(history, 6, 50)
    check_equal(found(history), [])
    committed(history, 7, 60)
    check_equal(found(history), [])
    committed(history, 6, 70)
    check_equal(found(history), ["commit lost"])


@test
def a_commit_beyond_what_the_group_has_read_is_found():
    history = good()
    commit(history, 9, 50, 51)
    check_equal(found(history), ["unread"])
    history = good()
    commit(history, 8, 24, 25)  # Read later than committed.
    check_equal(found(history), ["unread"])


@test
def a_history_can_be_written_and_read_again():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "history.jsonl")
        good().write(path)
        check_equal(History.load(path).events, good().events)


main(sys.argv[1:])

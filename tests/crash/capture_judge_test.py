"""The judge of captured topics finds every fault that is planted in a good history, by its kind,
and none in a good one.

usage: capture_judge_test.py [WORD…]
"""
import copy
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from capture_judge import PLACEHOLDER, judge, shortened
from capture_tables import Table
from tap import check_equal, main, test

LONG = "x" * 5000


class History:
    """Writes the journal of one table, and the topic that a faultless capture makes of it."""

    def __init__(self, **how):
        self.table = Table("t", "", ("id",), **how)
        self.journal, self.records, self.rows = [], [], {}
        self.stamp = self.xid = 0

    def begin(self):
        self.xid += 1
        return self

    def row(self, **values):
        self.stamp += 1
        return {**values, "stamp": self.stamp}

    def enter(self, op, old, new):
        self.journal.append({"seq": len(self.journal) + 1, "xid": self.xid, "relation": "t",
                             "op": op, "old": shortened(old), "new": shortened(new)})

    def record(self, key, op, before=None, after=None):
        value = None if op == "tombstone" else {
            "op": op, "before": before, "after": after,
            "source": {"txId": self.xid, "lsn": 100 * len(self.journal)}}
        self.records.append({"key": None if key is None else {"id": key}, "value": value})

    def before(self, old):
        return old if self.table.whole else None

    def insert(self, key, text="a"):
        self.rows[key] = self.row(id=key, text=text)
        self.enter("INSERT", None, self.rows[key])
        self.record(key, "c", after=self.rows[key])

    def update(self, key, text, told=None):
        """`told`: what the record has in its place."""
        old = self.rows[key]
        self.rows[key] = self.row(id=key, text=text)
        self.enter("UPDATE", old, self.rows[key])
        after = {**self.rows[key], "text": told or text}
        self.record(key, "u", self.before(old), after)

    def move(self, key, other):
        old = self.rows.pop(key)
        self.rows[other] = self.row(id=other, text=old["text"])
        self.enter("UPDATE", old, self.rows[other])
        self.record(key, "d", old)
        self.record(key, "tombstone")
        self.record(other, "c", after=self.rows[other])

    def delete(self, key):
        old = self.rows.pop(key)
        self.enter("DELETE", old, None)
        self.record(key, "d", old)
        self.record(key, "tombstone")

    def truncate(self):
        self.rows = {}
        self.enter("TRUNCATE", None, None)
        self.record(None, "t")

    def snapshot(self):
        """All rows as they are now, from a new capture: what came before is not in the topic."""
        self.records = []
        for key, row in self.rows.items():
            self.record(key, "r", after=row)
        return len(self.journal)

    def found(self, since=0, repeats_max=0):
        records = [{**copy.deepcopy(record), "offset": i} for i, record in enumerate(self.records)]
        return judge({"t": self.table}, self.journal, since, {"t": records},
                     {"t": [shortened(row) for row in self.rows.values()]}, repeats_max).kinds()


def good():
    """Two rows that live, one that is deleted, one that moves."""
    history = History()
    for key in range(4):
        history.begin().insert(key)
    history.begin().update(0, "b")
    history.update(0, "c")
    history.begin().delete(1)
    history.begin().move(2, 5)
    history.begin().update(0, "d")
    return history


def at(history, op, key, number=0):
    """The place of a record."""
    return [i for i, record in enumerate(history.records)
            if record["key"] == {"id": key}
            and (record["value"] or {"op": "tombstone"})["op"] == op][number]


@test
def a_good_history_has_no_fault():
    check_equal(good().found(), [])


@test
def a_stretch_may_come_again_when_something_was_restarted():
    history = good()
    history.records[8:8] = history.records[3:8]
    check_equal(history.found(repeats_max=1), [])
    check_equal(history.found(repeats_max=0), ["repeated"])


@test
def a_repeated_stretch_must_go_to_its_end():
    history = good()
    history.records.append(history.records[at(history, "u", 0, 0)])
    check_equal(history.found(repeats_max=9), ["differs", "stale"])


@test
def a_repeated_stretch_leaves_nothing_out():
    history = good()
    again = [history.records[at(history, "u", 0, number)] for number in (0, 2)]
    history.records += again
    check_equal(history.found(repeats_max=9), ["left out"])


@test
def a_lost_change_is_found():
    for op, key, number, kinds in (("u", 0, 1, ["left out"]), ("u", 0, 2, ["differs", "stale"]),
                                   ("c", 5, 0, ["differs", "lost"]),
                                   ("d", 1, 0, ["differs", "made up", "stale"]),
                                   ("tombstone", 1, 0, ["stale"])):
        history = good()
        del history.records[at(history, op, key, number)]
        check_equal((op, key, history.found()), (op, key, kinds))


@test
def changed_order_is_found():
    history = good()
    one, other = at(history, "u", 0, 0), at(history, "u", 0, 1)
    records = history.records
    records[one], records[other] = records[other], records[one]
    check_equal(history.found(repeats_max=9), ["left out"])


@test
def what_was_rolled_back_is_found():
    history = good()
    history.insert(9)
    del history.journal[-1], history.rows[9]
    check_equal(history.found(), ["made up"])
    history = good()
    history.update(0, "e")
    history.rows[0] = {"id": 0, "text": "d", "stamp": history.stamp - 1}
    del history.journal[-1]
    check_equal(history.found(), ["made up"])
    history = good()
    history.begin()
    history.record(3, "d", {"id": 3})
    history.record(3, "tombstone")
    check_equal(history.found(), ["made up"])


@test
def a_tombstone_belongs_to_a_deletion():
    history = good()
    history.record(0, "tombstone")
    check_equal(history.found(), ["made up"])


@test
def changed_content_is_found():
    history = good()
    place = at(history, "c", 3)
    record = copy.deepcopy(history.records[place])
    record["value"]["after"]["text"] = "z"
    history.records[place] = record
    check_equal(history.found(), ["content", "differs"])
    history = good()
    place = at(history, "c", 3)
    record = copy.deepcopy(history.records[place])
    del record["value"]["after"]["text"]
    history.records[place] = record
    check_equal(history.found(), ["content", "differs"])


@test
def old_rows_are_compared_where_they_come_whole():
    history = History(whole=True)
    history.begin().insert(1, LONG)
    history.update(1, "b")
    history.delete(1)
    check_equal(history.found(), [])
    history.records[1] = copy.deepcopy(history.records[1])
    history.records[1]["value"]["before"]["text"] = "short"
    check_equal(history.found(), ["content"])


@test
def a_text_that_did_not_change_may_be_missing_and_no_other():
    history = History()
    history.begin().insert(1, LONG)
    history.update(1, LONG, told=PLACEHOLDER)
    check_equal(history.found(), [])
    history.update(1, LONG + "y", told=PLACEHOLDER)
    check_equal(history.found(), ["content"])
    history = History(whole=True)
    history.begin().insert(1, LONG)
    history.update(1, LONG, told=PLACEHOLDER)
    check_equal(history.found(), ["content"])


@test
def a_table_that_is_emptied_has_no_rows_in_the_topic():
    history = good()
    history.begin().truncate()
    history.begin().insert(0)
    check_equal(history.found(), [])
    place = at(history, "c", 0, 1)
    del history.records[place - 1]
    check_equal(history.found(), ["differs", "left out", "stale"])


@test
def deletions_of_one_row_in_one_transaction_are_told_apart():
    history = History()
    history.begin()
    for text in "abc":
        history.insert(1, text)
        history.delete(1)
    history.insert(1, "d")
    check_equal(history.found(), [])
    whole = list(history.records)
    history.records = whole[:4] + whole[1:]
    check_equal(history.found(repeats_max=1), [])
    history.records = whole[:3] + whole[6:]
    check_equal(history.found(repeats_max=1), ["left out"])


@test
def a_snapshot_has_every_row_that_was_there():
    history = good()
    since = history.snapshot()
    history.begin().update(0, "e")
    check_equal(history.found(since), [])
    kept = list(history.records)
    del history.records[at(history, "r", 3)]
    check_equal(history.found(since), ["differs", "lost"])
    history.records = kept
    del history.records[at(history, "r", 0)]
    check_equal(history.found(since), ["lost"])


@test
def a_snapshot_shows_columns_that_were_altered_since():
    for lasting, kinds in ((None, ["content", "differs"]), (("id", "stamp"), ["differs"])):
        history = good()
        history.table.lasting = lasting
        since = history.snapshot()
        place = at(history, "r", 3)
        history.records[place]["value"]["after"] = {"id": 3, "stamp": 4, "extra": 1}
        check_equal(history.found(since), kinds)


@test
def a_snapshot_does_not_replace_changes_since_the_capture_began():
    history = good()
    since = history.snapshot()
    history.begin().update(0, "e")
    history.update(0, "f")
    lost = history.records.pop(-2)
    assert lost["value"]["op"] == "u"
    check_equal(history.found(since), ["left out"])
    history.records[-1] = {"key": {"id": 0}, "value": {**history.records[-1]["value"], "op": "r"}}
    check_equal(history.found(since), ["left out"])


@test
def rows_without_a_key_are_followed_by_a_column_that_stays():
    history = History(keyed=False, whole=True)
    history.begin().insert(1)
    history.update(1, "b")
    history.delete(1)
    history.begin().insert(2)
    for record in history.records:
        record["key"] = None
    check_equal(history.found(), [])
    del history.records[1]
    check_equal(history.found(), ["left out"])


if __name__ == "__main__":
    main(sys.argv[1:])

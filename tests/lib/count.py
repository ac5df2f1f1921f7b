"""Adds up the cases of meson's JUnit reports and prints 'N passed, N failed, N skipped', with the
end of what each failed test has printed.

A test that breaks off, or is ended by its time, may have no case that failed: meson's other log,
beside the report, knows it, and it counts as one.

usage: count.py REPORT.junit.xml…      exits with 1 if a case failed, or if there was none
"""

import json
import sys
import xml.etree.ElementTree as tree


PRINTED_LINES = 30  # Of each output of each test that failed.


def printed(suite):
    """The end of a test's output, without what its servers have logged."""
    for text in suite.findtext("system-out") or "", suite.findtext("system-err") or "":
        lines = [line for line in text.splitlines()
                 if not line.startswith(("ok ", "# broker: ", "# worker: "))]
        yield from lines[-PRINTED_LINES:]


def broken_off(path):
    """The tests that meson calls bad, with its word for it, by their names in the report."""
    with open(path.replace(".junit.xml", ".json"), encoding="utf-8") as log:
        runs = [json.loads(line) for line in log]
    bad = {"ERROR", "FAIL", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}
    return {run["name"]: run["result"] for run in runs if run["result"] in bad}


def count(path):
    passed, failed, skipped, told = [], [], [], []
    broken = broken_off(path)
    for suite in tree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = f"{suite.get('name')}: {case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
            elif case.find("skipped") is not None:
                skipped.append((name, case.find("skipped").get("message") or ""))
            else:
                passed.append(name)
        marked = int(suite.get("failures")) + int(suite.get("errors")) > 0
        result = broken.get(suite.get("name").split(".", 1)[-1])
        if result is not None and not marked:
            failed.append(f"{suite.get('name')}: broke off ({result})")
        if result is not None or marked:
            told += [f"---- {suite.get('name')}", *printed(suite)]
    return passed, failed, skipped, told


def main():
    passed = 0
    failed, skipped, told = [], [], []
    for path in sys.argv[1:]:
        good, bad, left, lines = count(path)
        passed += len(good)
        failed += bad
        skipped += left
        told += lines
    for line in told:
        print(line)
    for name in failed:
        print(f"FAILED  {name}")
    for name, why in skipped:
        print(f"skipped {name} {why}".rstrip())
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

"""Adds up the cases of meson's JUnit reports and prints 'N passed, N failed, N skipped'.

usage: count.py REPORT.xml…      exits with 1 if a case failed, or if there was none
"""

import sys
import xml.etree.ElementTree as tree


def count(path):
    passed, failed, skipped = [], [], []
    for suite in tree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = f"{suite.get('name')}: {case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
            elif case.find("skipped") is not None:
                skipped.append((name, case.find("skipped").get("message") or ""))
            else:
                passed.append(name)
    return passed, failed, skipped


def main():
    passed = 0
    failed, skipped = [], []
    for path in sys.argv[1:]:
        good, bad, left = count(path)
        passed += len(good)
        failed += bad
        skipped += left
    for name in failed:
        print(f"FAILED  {name}")
    for name, why in skipped:
        print(f"skipped {name} {why}".rstrip())
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

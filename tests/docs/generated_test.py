"""The generated pages of docs/ are those that the program's tables of keys give.

usage: generated_test.py ROOT PROGRAM [WORD…]
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import check_equal, main, test

ROOT, PROGRAM = sys.argv[1], sys.argv[2]
DOCS = os.path.join(ROOT, "docs")
REMEDY = "write the pages anew with: ninja -C build docs"


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


def generated(folder):
    """The paths of all pages below `folder`."""
    subprocess.run([os.path.join(DOCS, "generate"), PROGRAM, folder], check=True)
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, _, names in os.walk(folder) for name in names)


@test
def the_pages_are_those_of_the_tables():
    with tempfile.TemporaryDirectory(prefix="sluice-docs-") as folder:
        paths = generated(folder)
        stale = [path for path in paths
                 if read(os.path.join(DOCS, path)) != read(os.path.join(folder, path))]
    assert len(paths) > 10, paths
    if stale:
        raise AssertionError(f"not what the program prints: {', '.join(stale)}: {REMEDY}")


@test
def no_page_is_of_a_plugin_that_is_gone():
    with tempfile.TemporaryDirectory(prefix="sluice-docs-") as folder:
        paths = generated(folder)
    kept = [f"plugins/{name}" for name in sorted(os.listdir(os.path.join(DOCS, "plugins")))]
    gone = [path for path in kept if path not in paths]
    if gone:
        raise AssertionError(f"pages of no plugin: {', '.join(gone)}: {REMEDY}")


@test
def a_page_tells_every_key():
    for name, key in [("postgres-source", "slot.name"), ("http-sink", "http.url"),
                      ("file-source", "batch.size")]:
        page = read(os.path.join(DOCS, "plugins", f"{name}.md"))
        check_equal(page.count(f"\n### `{key}`\n"), 1)


main(sys.argv[3:])

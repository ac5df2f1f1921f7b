"""What the documents say is so: links lead somewhere, --help is complete, the README's pipeline runs.

usage: docs_test.py ROOT PROGRAM [WORD…]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from running_worker import until
from tap import check_equal, main, test

ROOT, PROGRAM = sys.argv[1], sys.argv[2]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def documents():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others",
                             "--exclude-standard", "*.md"], capture_output=True, text=True,
                            check=True).stdout
    return [os.path.join(ROOT, name) for name in listed.split("\n") if name]


@test
def links_lead_to_files_that_are_there():
    dead = []
    for path in documents():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(path)):
            if "://" not in target and not os.path.exists(
                    os.path.join(os.path.dirname(path), target)):
                dead.append(f"{os.path.relpath(path, ROOT)}: {target}")
    check_equal(dead, [])


@test
def every_command_prints_its_help():
    listed = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^  (\w+) +\S", listed, re.M)
    assert len(names) >= 8, names
    for name in names:
        shown = subprocess.run([PROGRAM, name, "--help"], capture_output=True, text=True)
        check_equal((name, shown.returncode, shown.stderr), (name, 0, ""))
        assert shown.stdout.startswith("usage: "), shown.stdout
        unknown = subprocess.run([PROGRAM, name, "--no-such-option"], capture_output=True,
                                 text=True)
        check_equal((name, unknown.returncode), (name, 2))
        assert "--no-such-option" in unknown.stderr, unknown.stderr


def names_of_commands():
    """The commands, each with the names of Kafka's tools that lead to it."""
    listed = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    commands = {name: [] for name in re.findall(r"^  ([\w-]+) +\S", listed, re.M)}
    folder = os.path.dirname(os.path.abspath(PROGRAM))
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.islink(path) and os.readlink(path) == "sluice":
            usage = subprocess.run([path, "--help"], capture_output=True, text=True, check=True)
            commands[re.match(r"usage: sluice ([\w-]+)", usage.stdout)[1]].append(name)
    return commands


@test
def the_page_of_the_tools_tells_every_command_and_tool():
    rows = re.findall(r"^\| (?:`([\w-]+)` )?\| `sluice ([\w-]+)` \|", read(os.path.join(
        ROOT, "docs", "tools.md")), re.M)
    told = {command: [tool] if tool else [] for tool, command in rows}
    check_equal(told, names_of_commands())


@test
def every_folder_that_the_documents_name_is_there():
    named = re.findall(r"^([a-z]+)/", read(os.path.join(ROOT, "ARCHITECTURE.md")), re.M)
    check_equal([name for name in named if not os.path.isdir(os.path.join(ROOT, name))], [])


def commands_of(title):
    """The two blocks of commands of a section of the README."""
    section = read(os.path.join(ROOT, "README.md")).split(f"## {title}\n")[1].split("\n## ")[0]
    start, rest = re.findall(r"```sh\n(.*?)```", section, re.S)
    return start.strip(), rest


def shell(commands, **more):
    return subprocess.run(["bash", "-eu", "-c", commands], check=True, capture_output=True,
                          text=True, **more).stdout


@test
def the_pipeline_of_the_readme_runs_as_it_is_written():
    folder = tempfile.mkdtemp(prefix="sluice-docs-")
    start, rest = commands_of("A pipeline by hand")
    ready = os.path.join(folder, "addresses")
    own = start.replace("/tmp/", folder + "/").replace("build/sluice", PROGRAM)
    up = subprocess.Popen(own.split() + ["--broker-port", "0", "--rest-port", "0",
                                         "--ready-file", ready],
                          stdout=subprocess.DEVNULL, stderr=open(folder + "/log", "wb"))
    try:
        until(lambda: os.path.exists(ready) or up.poll() is not None,
              lambda: read(folder + "/log"))
        addresses = dict(line.split("=", 1) for line in read(ready).split())
        commands = (rest.replace("/tmp/", folder + "/")
                    .replace("http://127.0.0.1:8083", addresses["rest"])
                    .replace("build/sluice consume", f"{PROGRAM} consume --bootstrap-server "
                             + addresses["broker"]))
        before, after = commands.split("curl -s http", 1)
        subprocess.run(["bash", "-eu", "-c", before], check=True, capture_output=True)
        until(lambda: "hello, sluice" in (read(folder + "/out.txt")
                                          if os.path.exists(folder + "/out.txt") else ""),
              lambda: read(folder + "/log"))
        shown = subprocess.run(["bash", "-eu", "-c", "curl -s http" + after], check=True,
                               capture_output=True, text=True).stdout
        check_equal(shown.count("hello, sluice"), 2)
        assert '"state":"RUNNING"' in shown, shown
    finally:
        up.terminate()
        up.wait(100)
        shutil.rmtree(folder, ignore_errors=True)


@test
def the_folder_of_the_readme_is_applied_as_it_is_written():
    folder = tempfile.mkdtemp(prefix="sluice-docs-")
    start, rest = commands_of("Connectors in a folder")
    ready = os.path.join(folder, "addresses")
    prepare, start = (start.replace("/tmp/", folder + "/").replace("build/sluice", PROGRAM)
                      .rsplit("\n", 1))
    shell(prepare)
    up = subprocess.Popen(start.split() + ["--broker-port", "0", "--rest-port", "0",
                                           "--ready-file", ready],
                          stdout=subprocess.DEVNULL, stderr=open(folder + "/log", "wb"))
    try:
        until(lambda: os.path.exists(ready) or up.poll() is not None,
              lambda: read(folder + "/log"))
        addresses = dict(line.split("=", 1) for line in read(ready).split())
        shown = shell(rest.replace("/tmp/", folder + "/").replace("build/sluice", PROGRAM),
                      env={**os.environ, "CONNECT_REST_URL": addresses["rest"]})
        for part in ("~ lines-out\n    + errors.tolerance=all\nsomething differs\n",
                     "lines-in: unchanged\nlines-out: updated\nlines-out: RUNNING, 1 task\n",
                     "lines-in: RUNNING, 1 task\n", "PARTITION"):
            if part not in shown:
                raise AssertionError(f"{shown} lacks {part!r}")
    finally:
        up.terminate()
        up.wait(100)
        shutil.rmtree(folder, ignore_errors=True)


@test
def bash_completes_commands_actions_and_options():
    def completed(*words):
        line = " ".join(f"'{word}'" for word in words)
        return shell(f"source <({PROGRAM} completion); COMP_WORDS=({line}); "
                     f"COMP_CWORD={len(words) - 1}; _sluice {PROGRAM}; "
                     "printf '%s\\n' \"${COMPREPLY[@]}\"").split("\n")[:-1]
    check_equal(completed("sluice", "connector"), ["connectors"])
    check_equal(completed("sluice", "connectors", "re"), ["resume", "restart"])
    check_equal(completed("sluice", "connectors", "restart", "--only"), ["--only-failed"])
    check_equal(completed("sluice", "topics", "--boot"), ["--bootstrap-server"])


main(sys.argv[3:])

"""The tidy test: the rules of CONTRIBUTING.md that a program can check, as TAP.

usage: tidy.py ROOT [--self-test]

Rules: who may include whom; the first line of every file; header guards; forbidden calls,
each with what to use instead; functions of more than 70 lines and files of more than 800;
leftover notes; formatting by clang-format. `exceptions.txt` lists what is allowed to be
longer, with the reason.
"""

import pathlib
import re
import shutil
import subprocess
import sys

# Folder -> folders whose headers it may include. Plugins see the public headers only.
LAYERS = {
    "include": {"include"},
    "lib": {"include", "lib"},
    "protocol": {"include", "lib", "protocol"},
    "broker": {"include", "lib", "protocol", "broker"},
    "worker": {"include", "lib", "protocol", "worker"},
    "registry": {"include", "lib", "protocol", "registry"},
    "cli": {"include", "lib", "protocol", "broker", "worker", "registry", "cli"},
    "connectors": {"include", "connectors"},
    "converters": {"include", "converters"},
    "transforms": {"include", "transforms"},
    "examples": {"include", "examples"},
}
PLUGIN_FOLDERS = ("connectors", "converters", "transforms", "examples")

FORBIDDEN = {
    "atoi": "a strict parser of lib/base/text.h",
    "atol": "a strict parser of lib/base/text.h",
    "atof": "a strict parser of lib/base/text.h",
    "strtol": "a strict parser of lib/base/text.h",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strcpy": "memcpy, with the length known",
    "strcat": "a buffer of lib/base/buffer.h",
    "strtok": "a split that keeps its state with the caller",
    "gets": "getline",
    "localtime": "gmtime_r",
    "gmtime": "gmtime_r",
    "ctime": "strftime",
    "alloca": "an arena",
    "system": "posix_spawn, without a shell",
}
FORBIDDEN_OUTSIDE = {
    "getenv": (("cli/",), "a key of the configuration"),
    "exit": (("cli/", "worker/host/", "worker/nursery", "bench/"), "a status that main returns"),
}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
SOURCES = (".c", ".h")
SKIPPED = ("build", ".git", "protocol/corpus", "tests/fixtures")


def sources(root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(p for p in listed if p and (pathlib.Path(root) / p).is_file())


def without_comments_and_texts(text):
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def owner(path, included, files):
    """The top folder that a quoted include of `path` comes from, or None."""
    here = pathlib.PurePosixPath(path).parent
    for base in (here, pathlib.PurePosixPath("."), pathlib.PurePosixPath("lib"),
                 pathlib.PurePosixPath(path.split("/")[0])):
        parts = []
        for part in (base / included).parts:
            if part == "..":
                parts.pop() if parts else None
            else:
                parts.append(part)
        if "/".join(parts) in files:
            return "/".join(parts)
    return None


def check_includes(path, text, files):
    folder = path.split("/")[0]
    if folder not in LAYERS:
        return []
    test = path.endswith(("_test.c", "fuzz.c"))
    faults = []
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        found = owner(path, match.group(1), files)
        if found is None:
            continue  # Generated, checked by the compiler.
        top = found.split("/")[0]
        if top == "tests" or found.startswith("lib/test/"):
            if not test and not path.endswith("_run.c"):
                faults.append(f"{path}:{number}: includes '{found}': only tests may")
        elif top not in LAYERS[folder]:
            faults.append(f"{path}:{number}: '{folder}' includes '{found}': it may include "
                          f"{', '.join(sorted(LAYERS[folder]))}")
        elif folder in PLUGIN_FOLDERS and top == folder:
            if found.split("/")[1] != path.split("/")[1]:
                faults.append(f"{path}:{number}: includes '{found}' of another plugin")
    return faults


def check_head(path, text):
    faults = []
    if not text.startswith("/* "):
        faults.append(f"{path}:1: the first line says what idea the file holds: '/* … '")
    if path.endswith(".h") and not re.search(r"^#ifndef \w+_H\n#define \w+_H$|^#pragma once$", text, re.M):
        faults.append(f"{path}: no include guard")
    return faults


def check_calls(path, text):
    faults = []
    for number, line in enumerate(without_comments_and_texts(text).split("\n"), 1):
        for call, instead in FORBIDDEN.items():
            if re.search(rf"(?<![\w.>]){call}\s*\(", line):
                faults.append(f"{path}:{number}: {call}() is not used here: {instead} is")
        for call, (allowed, instead) in FORBIDDEN_OUTSIDE.items():
            if path.startswith(allowed) or path.endswith("_test.c") or path.startswith("tests/"):
                continue
            if re.search(rf"(?<![\w.>]){call}\s*\(", line):
                faults.append(f"{path}:{number}: {call}() is not used outside "
                              f"{', '.join(allowed)}: {instead} is")
        if path.endswith("_test.c") and re.search(r"(?<!\w)(sleep|usleep|nanosleep)\s*\(", line):
            faults.append(f"{path}:{number}: a test waits for an event, it does not sleep")
    return faults


def functions(text):
    """(first line, name, lines) of every function: bodies stand between braces in column 0."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = " ".join(lines[max(0, start - 8):start - 1])
            names = re.findall(r"(\w+)\s*\(", head.split(";")[-1].split("}")[-1])
            if names:
                yield start, names[0], number - start - 1
            start = None


def check_sizes(path, text, exceptions):
    faults = []
    for line, name, length in functions(text):
        if length > FUNCTION_LINES_MAX and f"{path}:{name}" not in exceptions:
            faults.append(f"{path}:{line}: {name}() has {length} lines: at most "
                          f"{FUNCTION_LINES_MAX}; look for the second idea")
    length = text.count("\n")
    if length > FILE_LINES_MAX and path not in exceptions:
        faults.append(f"{path}: {length} lines: at most {FILE_LINES_MAX}; look for the folder")
    return faults


def check_notes(path, text):
    return [f"{path}:{number}: a note left behind: {line.strip()[:60]}"
            for number, line in enumerate(text.split("\n"), 1)
            if re.search(r"\b(TODO|FIXME|XXX)\b", line)]


def check_format(root, paths):
    if shutil.which("clang-format") is None:
        return None
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=root,
                            capture_output=True, text=True)
    return sorted({line.split(": error")[0] + ": run clang-format -i on it"
                   for line in result.stderr.split("\n") if ": error:" in line})[:50]


def read_exceptions(root):
    path = pathlib.Path(root) / "tests/tidy/exceptions.txt"
    names = set()
    for line in path.read_text().split("\n") if path.exists() else []:
        if line and not line.startswith("#"):
            names.add(line.split()[0])
    return names


def run(root):
    files = sources(root)
    known = set(files)
    exceptions = read_exceptions(root)
    texts = {p: (pathlib.Path(root) / p).read_text(encoding="utf-8") for p in files
             if p.endswith(SOURCES) and not p.startswith(SKIPPED)}
    rules = {
        "folders include only what they may": lambda p, t: check_includes(p, t, known),
        "every file says what idea it holds": check_head,
        "no forbidden calls": check_calls,
        "functions and files are small": lambda p, t: check_sizes(p, t, exceptions),
        "no notes are left behind": check_notes,
    }
    outcomes = {name: [f for p, t in texts.items() for f in rule(p, t)]
                for name, rule in rules.items()}
    outcomes["every file is formatted"] = check_format(root, list(texts))
    lengths = sorted(n for p, t in texts.items() if p.endswith(".c") for _, _, n in functions(t))
    if lengths:
        print(f"# {len(lengths)} functions: median {lengths[len(lengths) // 2]} lines, nine in ten "
              f"at most {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    return outcomes


def self_test():
    """Each rule must find its fault in a small sample, and nothing in a clean one."""
    clean = "/* x.c - a thing. */\nint f(void)\n{\n    return 1;\n}\n"
    long = "/* x. */\nint g(void)\n{\n" + "    x();\n" * 71 + "}\n"
    files = {"broker/a.c", "worker/b.h", "connectors/file/c.c", "connectors/http/d.h", "lib/base/e.h"}
    return {
        "self-test: a clean file has no faults": []
        if not (check_head("a.c", clean) + check_calls("a.c", clean)
                + check_sizes("a.c", clean, set()) + check_notes("a.c", clean)) else ["fault"],
        "self-test: broker must not include worker":
            [] if check_includes("broker/a.c", '#include "worker/b.h"', files) else ["missed"],
        "self-test: a plugin must not include another, nor lib":
            [] if check_includes("connectors/file/c.c", '#include "../http/d.h"', files)
            and check_includes("connectors/file/c.c", '#include "base/e.h"', files) else ["missed"],
        "self-test: a forbidden call is found, not in texts":
            [] if check_calls("a.c", "x = atoi(y);") and not check_calls("a.c", '"atoi(y)"')
            else ["missed"],
        "self-test: a long function is found, unless it is listed":
            [] if check_sizes("a.c", long, set()) and not check_sizes("a.c", long, {"a.c:g"})
            else ["missed"],
        "self-test: a missing title is found": [] if check_head("a.c", "int x;\n") else ["missed"],
    }


def main():
    outcomes = {**self_test(), **run(sys.argv[1])}
    print(f"1..{len(outcomes)}")
    failed = 0
    for number, (name, faults) in enumerate(outcomes.items(), 1):
        if faults is None:
            print(f"ok {number} - {name} # SKIP clang-format is not installed")
            continue
        for fault in faults:
            print(f"# {fault}")
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

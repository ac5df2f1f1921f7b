"""Every public header compiles alone, as C11 and as C++."""
import pathlib
import shutil
import subprocess
import sys

include = pathlib.Path(sys.argv[1])
c = sys.argv[2:]
ways = [("C11", c + ["-x", "c", "-std=c11"])]
cxx = shutil.which("c++")
if cxx:
    ways.append(("C++", [cxx, "-x", "c++", "-std=c++14"]))
flags = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{include}", "-"]
headers = sorted(include.glob("sluice/*.h"))
assert headers, include
number = failed = 0
for header in headers:
    for name, command in ways:
        number += 1
        text = f"#include <sluice/{header.name}>\n#include <sluice/{header.name}>\n"
        result = subprocess.run(command + flags, input=text, capture_output=True, text=True)
        for line in result.stderr.splitlines():
            print("#", line)
        failed += result.returncode != 0
        print("ok" if result.returncode == 0 else "not ok", number, "-",
              f"sluice/{header.name} compiles alone as {name}")

# A table in each language, right and with a field of the wrong type.
TABLE = """#include <sluice/plugin.h>
typedef struct settings { int32_t number; const char *text; } settings;
extern const sluice_key keys[];
const sluice_key keys[] = {{"a", "1", "d", 0, 0, 0, 0, 0, 0, 0, SLUICE_INT, SLUICE_LOW,
                            SLUICE_AT(%s, settings, number), 0, SLUICE_WIDTH_NONE, 0},
                           {"b", "1", "d", 0, 0, 0, 0, 0, 0, 0, SLUICE_STRING, SLUICE_LOW,
                            SLUICE_AT(const char *, settings, text), 0, SLUICE_WIDTH_NONE, 0}};
"""
for name, command in ways:
    for kind, good in (("int32_t", True), ("int64_t", False)):
        number += 1
        result = subprocess.run(command + flags[:3] + flags[4:], input=TABLE % kind,
                                capture_output=True, text=True)
        fine = (result.returncode == 0) == good
        for line in [] if fine else result.stderr.splitlines():
            print("#", line)
        failed += not fine
        print("ok" if fine else "not ok", number, "-",
              f"a key {'with' if good else 'without'} its C type compiles"
              f"{'' if good else ' not'} as {name}")
print(f"1..{number}")
sys.exit(failed > 0)

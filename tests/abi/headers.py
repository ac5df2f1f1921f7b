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
print(f"1..{number}")
sys.exit(failed > 0)

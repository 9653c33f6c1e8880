"""The scan's child process: read the calls of a list of source files.

Called as ``python -m crlib.data.scan_worker LIST OUT``; both are JSON files.
"""

import gc
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from crlib.data.calls import read_module

LARGEST = 1_000_000  # bytes; longer files are generated tables


def scan(path: str, module: str) -> dict[str, Any] | str:
    """Functions and calls of one file, or the reason why it was left out."""
    if os.path.getsize(path) > LARGEST:
        return "larger than 1 MB"
    try:
        with open(path, encoding="utf-8") as file:
            source = file.read()
        name, is_package = module.removesuffix(".__init__"), module.endswith(".__init__")
        functions, calls = read_module(source, name, is_package=is_package)
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return type(error).__name__
    return {"functions": [asdict(item) for item in functions], "calls": sorted(calls)}


def main() -> None:
    """Scan the files named in LIST, [[path, module], ...], into OUT."""
    gc.disable()  # syntax trees hold no cycles; collecting them takes a fifth of the time
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)
    found = {module: scan(path, module) for path, module in files}
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()

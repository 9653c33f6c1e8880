"""The harvest's child process: import one package and describe its public callables.

Called as ``python -P harvest_worker.py PACKAGE OUT``; a crash loses this package alone. It uses the
standard library only: what it imports itself would decide what lazy packages show.
Importing beats parsing: compiled functions (numpy, torch) carry their documentation only in memory.
"""

import builtins
import contextlib
import doctest
import importlib
import importlib.util
import inspect
import io
import json
import os
import pkgutil
import re
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

# Modules that open a window or a browser, print poems, run a program, or are tests.
SKIPPED_PARTS = {
    "antigravity", "this", "tkinter", "turtle", "turtledemo", "idlelib", "test", "tests",
    "testing", "conftest", "__main__", "_pytest", "lib2to3", "ensurepip", "setup", "benchmarks",
}  # fmt: skip
SECTION = re.compile(
    r"^\s*(Parameters|Returns|Yields|Raises|See Also|Notes|Examples?|References|Attributes|Methods"
    r"|Args|Arguments|Keyword [Aa]rguments|Usage|Inputs?|Outputs?|Shape|Warnings?)\s*:?\s*$"
    r"|^\s*(>>>|\.\. |:param |:return|-{3,}|={3,})"
)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
PATH = re.compile(r"(/[\w.+-]+){3,}")


def module_names(package: str) -> Iterator[str]:
    """Names of the importable public modules of a package, or of the standard library."""
    if package == "stdlib":
        tops = sorted(name for name in sys.stdlib_module_names if not name.startswith("_"))
    else:
        tops = [package]
    for top in tops:
        if SKIPPED_PARTS & {top}:
            continue
        yield top
        spec = None
        with contextlib.suppress(Exception):
            spec = importlib.util.find_spec(top)
        if spec is None or not spec.submodule_search_locations:
            continue
        yield from _walk(list(spec.submodule_search_locations), f"{top}.")


def _walk(paths: list[str], prefix: str) -> Iterator[str]:
    """Walk submodules by the files, importing nothing, in sorted order."""
    for found in sorted(pkgutil.iter_modules(paths), key=lambda item: item.name):
        if found.name.startswith("_") or found.name in SKIPPED_PARTS:
            continue
        name = f"{prefix}{found.name}"
        yield name
        if found.ispkg:
            yield from _walk([os.path.join(path, found.name) for path in paths], f"{name}.")


def members(module: types.ModuleType, root: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (name within the module, kind, object) of public callables that belong to `root`."""
    for name, value in sorted(vars(module).items(), key=lambda item: item[0]):
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if inspect.isclass(value):
            if belongs(value, root):
                yield name, "class", value
                yield from methods(name, value)
        elif is_function(value) and belongs(value, root):
            yield name, "function", value


def is_function(value: Any) -> bool:
    """Whether a value is a function in the wide sense: built-in, ufunc, or partial wrapper."""
    with contextlib.suppress(Exception):
        return inspect.isroutine(value) or type(value).__name__ in (
            "ufunc", "_ArrayFunctionDispatcher", "ScriptFunction", "OpOverloadPacket",
            "singledispatchmethod", "_lru_cache_wrapper", "cython_function_or_method",
        )  # fmt: skip
    return False


def belongs(value: Any, root: str) -> bool:
    """Whether an object was defined in the package that is harvested, as far as it says so."""
    owner = getattr(value, "__module__", None)
    if not isinstance(owner, str):
        return True
    top = owner.split(".")[0]
    if root == "stdlib":
        return top in sys.stdlib_module_names or top == "builtins"
    return top == root or top.lstrip("_") == root


def methods(name: str, cls: type) -> Iterator[tuple[str, str, Any]]:
    """Yield a class's own public methods; inherited ones belong to the base class."""
    for key, value in sorted(vars(cls).items(), key=lambda item: item[0]):
        if key.startswith("_"):
            continue
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if inspect.isroutine(value) or is_function(value):
            yield f"{name}.{key}", "method", value


def own_docstring(value: Any) -> str:
    """The docstring that an object itself carries, cleaned, or ""."""
    with contextlib.suppress(Exception):
        text = value.__doc__
        if isinstance(text, str):
            return inspect.cleandoc(text).expandtabs()
    return ""


def split_docstring(text: str, name: str) -> tuple[str, str]:
    """Split a docstring into its summary (first paragraph) and the body before any section."""
    lines = text.splitlines()
    last = name.rsplit(".", 1)[-1]
    # Compiled functions start with their signature, "add(x1, x2, /)" or "abs(input) -> Tensor".
    call = re.compile(rf"^\s*(\w+\.)*{re.escape(last)}\s*\(")
    while lines and (not lines[0].strip() or call.match(lines[0])):
        lines.pop(0)
    if lines and lines[0].strip() == "--":
        lines.pop(0)
    kept: list[str] = []
    for line in lines:
        if SECTION.match(line):
            break
        kept.append(line.strip())
    paragraphs = [" ".join(part.split()) for part in "\n".join(kept).split("\n\n")]
    paragraphs = [part for part in paragraphs if part]
    if not paragraphs:
        return "", ""
    return paragraphs[0], " ".join(paragraphs[1:])


def see_also(text: str) -> list[str]:
    """Names listed in a docstring's See Also section (numpydoc and Sphinx forms)."""
    found: list[str] = []
    section = re.search(r"^\s*(?:\.\. )?see\s?also:*\s*\n?(.*)", text, re.I | re.M | re.S)
    if not section:
        return found
    for line in section.group(1).splitlines()[:40]:
        if re.match(r"^\s*-{3,}\s*$", line) or not line.strip():
            continue
        if SECTION.match(line):
            break
        head = line.split(" : ")[0] if " : " in line else line
        head = re.sub(r":\w+:`~?([^`]+)`", r"\1", head)
        for part in head.split(","):
            word = part.strip(" .`:()").split(" ")[0].strip("`()")
            if re.fullmatch(r"[A-Za-z_][\w.]*", word):
                found.append(word)
    return found[:20]


def examples(text: str) -> list[dict[str, Any]]:
    """Doctest blocks of a docstring: the prose before a block, and the block's statements."""
    if ">>>" not in text:
        return []
    blocks: list[dict[str, Any]] = []
    prose = ""
    try:
        pieces = doctest.DocTestParser().parse(text)
    except ValueError:  # a malformed example is the package's fault, not a reason to stop
        return []
    for piece in pieces:
        if isinstance(piece, doctest.Example):
            if prose or not blocks:
                blocks.append({"prose": clean(prose), "code": ""})
                prose = ""
            blocks[-1]["code"] += piece.source
        elif piece.strip():
            paragraph = [part for part in piece.strip().split("\n\n") if part.strip()][-1]
            lines = [line.strip() for line in paragraph.splitlines()]
            prose = " ".join(line for line in lines if not re.fullmatch(r"\W*|Examples?:?", line))
    return blocks[:40]


class Elided:
    """Stands in a signature for a default value whose text may tell of the machine."""

    def __repr__(self) -> str:
        return "..."


def signature(value: Any) -> tuple[str, list[str]]:
    """Signature text with plain default values only, and the parameters' names.

    Other defaults (os.environ is one) would show this machine's paths, addresses or secrets.
    """
    try:
        found = inspect.signature(value)
        shown = [
            item
            if item.default is item.empty or isinstance(item.default, bool | int | float | None)
            else item.replace(default=Elided())
            for item in found.parameters.values()
        ]
        text = clean(str(found.replace(parameters=shown)))
    except Exception:  # arbitrary objects raise anything here; they have no signature to show
        return "", []
    return text[:400], [name for name in found.parameters if name not in ("self", "cls")]


def describe(module: str, name: str, kind: str, value: Any, package: str) -> dict[str, Any] | None:
    """One record of the catalogue, or None for an object without a usable summary."""
    text = own_docstring(value)
    summary, body = split_docstring(text, name)
    if len(summary) < 15 or not re.search(r"[A-Za-z]{3,} [A-Za-z(]", summary):
        return None
    shown, names = signature(value)
    return {
        "id": f"{module}.{name}", "package": package, "module": module, "kind": kind,
        "signature": shown, "parameters": names, "summary": clean(summary)[:600],
        "body": clean(body)[:2000], "see_also": see_also(text), "examples": examples(text),
    }  # fmt: skip


def clean(text: str) -> str:
    """Drop what differs between machines or cannot be stored: addresses, paths, surrogates."""
    text = PATH.sub("...", ADDRESS.sub("", text))
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def collect(package: str) -> dict[str, Any]:
    """Import a package's public modules and describe each distinct callable once."""
    failures: dict[str, str] = {}
    best: dict[int, tuple[tuple[bool, int, int, str], str, str, str, Any]] = {}
    aliases: dict[int, list[str]] = {}
    modules: list[types.ModuleType] = []
    for name in module_names(package):
        try:
            modules.append(importlib.import_module(name))
        except BaseException as error:  # any package's module may raise or exit at import
            failures[name] = f"{type(error).__name__}: {clean(str(error))[:160]}"
    visited: set[int] = set()
    for module in modules:
        if id(module) in visited:
            continue
        visited.add(id(module))
        for name, kind, value in members(module, package):
            full = f"{module.__name__}.{name}"
            rank = (not at_home(module.__name__, value), full.count("."), len(full), full)
            key = id(getattr(value, "__func__", value))
            aliases.setdefault(key, []).append(full)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, module.__name__, name, kind, value)
    records = []
    for key, (_, module_name, name, kind, value) in best.items():
        record = describe(module_name, name, kind, value, package)
        if record is not None:
            record["aliases"] = sorted(set(aliases[key]) - {record["id"]})
            record["defined"] = _defined(value)
            records.append(record)
    records.sort(key=lambda record: record["id"])
    return {"package": package, "records": records, "failures": failures,
            "modules": len(modules), "objects": len(best)}  # fmt: skip


def at_home(module: str, value: Any) -> bool:
    """Whether a module is the one that defines an object, or a package above it.

    A module that merely imports an object gives it a name too, at times a shorter one.
    """
    owner = getattr(value, "__module__", None)
    return isinstance(owner, str) and f"{owner}.".startswith(f"{module}.")


def _defined(value: Any) -> str:
    """Where an object says it was defined; private paths resolve calls found in source files."""
    owner, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return f"{owner}.{name}" if isinstance(owner, str) and isinstance(name, str) else ""


def main() -> None:
    """Harvest the package named on the command line into a JSON file."""
    package, out = sys.argv[1:3]
    warnings.simplefilter("ignore")
    builtins.input = lambda *_: ""  # a module that asks something at import must not wait
    sys.argv = ["harvest"]
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        found = collect(package)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os._exit(0)  # threads that a package started must not hold the process back


if __name__ == "__main__":
    main()

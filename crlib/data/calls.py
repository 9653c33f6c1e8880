"""Which documented functions a piece of source code calls, read from its syntax tree alone.

Nothing is executed. A call is resolved through the file's imports, its own definitions, and
variables that hold a fresh instance of a class; methods of values of unknown type are missed.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """A function with a docstring: its dotted name, first paragraph, and calls in order."""

    name: str
    summary: str
    calls: tuple[str, ...]


@dataclass
class Scope:
    """Names that are known at a point of the code, as dotted paths."""

    names: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    owner: str = ""

    def inner(self, owner: str = "") -> "Scope":
        """A copy for a nested block."""
        return Scope(dict(self.names), dict(self.instances), owner or self.owner)


def dotted(node: ast.expr, scope: Scope) -> str:
    """The dotted path that an expression names, or "" where that is not known."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    if node.id == "self" and scope.owner and len(parts) == 1:
        return f"{scope.owner}.{parts[0]}"
    head = scope.instances.get(node.id) if parts else None
    head = head or scope.names.get(node.id)
    if head is None:
        return ""
    return ".".join([head, *reversed(parts)])


def learn_imports(node: ast.stmt, scope: Scope, package: str) -> None:
    """Add what an import statement binds; relative imports are resolved from `package`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.split(".")[0]
            scope.names[alias.asname or top] = alias.name if alias.asname else top
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parents, base] if base else parents)
        for alias in node.names:
            scope.names[alias.asname or alias.name] = f"{base}.{alias.name}"


def learn_instance(node: ast.stmt, scope: Scope) -> None:
    """Remember `x = Class(...)`, so that `x.method()` resolves; any other value forgets x."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            path = dotted(node.value.func, scope) if isinstance(node.value, ast.Call) else ""
            if path and path.rsplit(".", 1)[-1][:1].isupper():
                scope.instances[target.id] = path
            else:
                scope.instances.pop(target.id, None)


# Nodes that neither are nor hold a call, by far the most frequent.
_LEAVES = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.cmpop, ast.boolop)


def parts_of(node: ast.AST) -> Iterator[ast.AST]:
    """Child nodes that may hold a call or a statement; `ast.iter_child_nodes` less the leaves."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST) and not isinstance(item, _LEAVES):
                    yield item
        elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
            yield value


def statements_of(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a block, those of nested blocks included, in the order of the source."""
    for statement in statements:
        yield statement
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            for item in getattr(statement, name, ()):
                if isinstance(item, ast.stmt):
                    yield from statements_of([item])
                elif isinstance(item, ast.ExceptHandler | ast.match_case):
                    yield from statements_of(item.body)


def calls_of(statements: list[ast.stmt], scope: Scope, package: str) -> list[str]:
    """Dotted paths of the calls in a block, in the order of the source, nested blocks included."""
    found: list[str] = []
    for statement in statements:
        learn_imports(statement, scope, package)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            found += calls_of(statement.body, scope.inner(), package)
            continue
        blocks: list[list[ast.stmt]] = []
        shallow: list[ast.AST] = []
        for _, value in ast.iter_fields(statement):
            items = value if isinstance(value, list) else [value]
            if items and all(isinstance(item, ast.stmt) for item in items):
                blocks.append(items)
            else:
                shallow += [item for item in items if isinstance(item, ast.AST)]
        for item in shallow:
            found += _expression_calls(item, scope, package, blocks)
        learn_instance(statement, scope)
        for block in blocks:
            found += calls_of(block, scope, package)
    return found


def _expression_calls(
    node: ast.AST, scope: Scope, package: str, blocks: list[list[ast.stmt]]
) -> list[str]:
    found = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.ExceptHandler | ast.match_case):
            blocks.append(item.body)
            continue
        if isinstance(item, ast.Call):
            path = dotted(item.func, scope)
            if "." in path:
                found.append((item.lineno, item.col_offset, path))
        stack.extend(parts_of(item))
    return [path for *_, path in sorted(found)]


def first_paragraph(docstring: str | None) -> str:
    """A docstring's first paragraph on one line."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split())


def read_module(
    source: str, module: str, *, is_package: bool = False
) -> tuple[list[Function], set[str]]:
    """Documented functions of a module with the calls of each, and all calls of the file.

    Parameters
    ----------
    source : str
        Python source.
    module : str
        Its dotted name, for relative imports and the module's own functions.
    is_package : bool
        Whether the source is a package's ``__init__``.

    Returns
    -------
    functions : list of Function
        Those with a docstring, methods included.
    calls : set of str
        Dotted paths called anywhere in the file.

    Raises
    ------
    SyntaxError
        When the source does not parse.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's strings
        tree = ast.parse(source)
    package = module if is_package else module.rpartition(".")[0]
    scope = Scope()
    for node in statements_of(tree.body):
        # Imports inside functions too: a file hardly ever gives one name two meanings.
        if isinstance(node, ast.Import | ast.ImportFrom):
            learn_imports(node, scope, package)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope.names[node.name] = f"{module}.{node.name}"
    functions: list[Function] = []
    everything: set[str] = set()
    top = [n for n in tree.body if not isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef
                                                  | ast.ClassDef)]  # fmt: skip
    everything.update(calls_of(top, scope.inner(), package))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            owner = f"{module}.{node.name}"
            for item in node.body:
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                    _read(item, owner, scope.inner(owner), package, functions, everything)
                else:
                    everything.update(calls_of([item], scope.inner(owner), package))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _read(node, module, scope.inner(), package, functions, everything)
    return functions, everything


def _read(
    node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str, scope: Scope, package: str,
    functions: list[Function], everything: set[str],
) -> None:  # fmt: skip
    calls = tuple(dict.fromkeys(calls_of(node.body, scope, package)))
    everything.update(calls)
    summary = first_paragraph(ast.get_docstring(node))
    if summary and len(calls) >= 2:
        functions.append(Function(f"{owner}.{node.name}", summary, calls))


def snippet_calls(code: str, scope: Scope) -> list[str]:
    """Calls of a doctest block; `scope` carries imports and variables to the next block.

    Raises
    ------
    SyntaxError
        When the block does not parse.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(dict.fromkeys(calls_of(ast.parse(code).body, scope, "")))

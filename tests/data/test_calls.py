"""Calls read from source text, compared with lists made by reading it."""

import pytest

from crlib.data.calls import Scope, first_paragraph, read_module, snippet_calls


def calls(source: str, module: str = "pkg.mod", **options) -> set[str]:
    return read_module(source, module, **options)[1]


@pytest.mark.parametrize(
    ("imports", "call", "path"),
    [
        ("import numpy", "numpy.dot(1)", "numpy.dot"),
        ("import numpy as np", "np.linalg.norm(1)", "numpy.linalg.norm"),
        ("import os.path", "os.path.join('a')", "os.path.join"),
        ("import os.path as p", "p.join('a')", "os.path.join"),
        ("from numpy import linalg", "linalg.norm(1)", "numpy.linalg.norm"),
        ("from numpy.linalg import norm as n", "n(1)", "numpy.linalg.norm"),
        ("from . import other", "other.f()", "pkg.other.f"),
        ("from .other import f", "f()", "pkg.other.f"),
        ("from ..top import f", "f()", "top.f"),
    ],
)
def test_imports_resolve(imports, call, path):
    module = "pkg.mod" if not imports.startswith("from ..") else "sub.mod"
    assert calls(f"{imports}\n{call}\n", module) == {path}


def test_relative_imports_start_from_the_package_itself_in_its_init():
    source = "from .other import f\nf()\n"
    assert calls(source, "pkg", is_package=True) == {"pkg.other.f"}
    assert calls(source, "pkg.mod") == {"pkg.other.f"}


def test_own_functions_classes_and_self_resolve_and_unknown_values_do_not():
    source = """
def helper():
    pass

class Tool:
    def run(self, thing):
        self.stop()
        thing.method()
        unknown()
        helper()
        return Tool()

    def stop(self):
        pass
"""
    assert calls(source) == {"pkg.mod.Tool.stop", "pkg.mod.helper", "pkg.mod.Tool"}


def test_a_fresh_instance_gives_its_methods_until_the_name_is_bound_anew():
    source = """
from box import Box, make
b = Box(1)
b.open()
b = make()
b.close()
c = Box.build()
c.shut()
"""
    assert calls(source) == {"box.Box", "box.Box.open", "box.make", "box.Box.build"}


def test_functions_come_with_first_paragraph_and_calls_in_order_without_repeats():
    source = '''
import a, b, c

def work(x):
    """Do the work
    in two lines.

    More words.
    """
    first = a.one(b.two(x))
    if first:
        a.one(1)
    try:
        with c.three() as t:
            pass
    except ValueError:
        c.four()
    return [a.five(i) for i in t]

def silent():
    a.one(); b.two()

def single():
    """Only one call here."""
    a.one()
'''
    functions, found = read_module(source, "pkg.mod")
    assert [item.name for item in functions] == ["pkg.mod.work"]
    assert functions[0].summary == "Do the work in two lines."
    # By position in the source: the outer call starts before its argument.
    assert functions[0].calls == ("a.one", "b.two", "c.three", "c.four", "a.five")
    assert found == {"a.one", "b.two", "c.three", "c.four", "a.five"}


def test_methods_are_named_by_their_class_and_nested_functions_count_for_the_outer():
    source = '''
import a, b

class Tool:
    def run(self):
        """Run it all the way."""
        def inner():
            a.one()
        return b.two(inner)
'''
    (function,) = read_module(source, "pkg.mod")[0]
    assert function.name == "pkg.mod.Tool.run"
    assert set(function.calls) == {"a.one", "b.two"}


def test_a_snippet_carries_its_names_to_the_next():
    scope = Scope({"np": "numpy"})
    assert snippet_calls("from box import Box\nb = Box()\n", scope) == ["box.Box"]
    assert snippet_calls("np.dot(b.open(), 1)\n", scope) == ["numpy.dot", "box.Box.open"]


@pytest.mark.parametrize("source", ["def f(:\n", "x = = 1\n"])
def test_source_that_does_not_parse_raises(source):
    with pytest.raises(SyntaxError):
        read_module(source, "pkg.mod")
    with pytest.raises(SyntaxError):
        snippet_calls(source, Scope())


def test_nothing_is_executed(tmp_path):
    target = tmp_path / "written"
    calls(f"import pathlib\npathlib.Path({str(target)!r}).write_text('x')\n")
    assert not target.exists()


def test_first_paragraph():
    assert first_paragraph("  One\n  line.\n\n  Two.") == "One line."
    assert first_paragraph(None) == ""

"""The notebooks' form: paired, without outputs, in one order, no code hidden in long cells."""

import ast
import re

import jupytext
import nbformat
import pytest

from crlib.book.run import tags
from crlib.claims import load_claims
from crlib.schemas import SCHEMAS
from crlib.settings import ROOT

SECTIONS = (
    "Claim", "Verdict", "Parameters", "Theory", "Evidence", "Reading the figure", "Limits",
    "Provenance",
)  # fmt: skip
JUDGED = {claim.notebook for claim in load_claims()} & set(SCHEMAS)
LONGEST_CELL = 12
# What may stand in prose with digits in it: formulas, code, roles, directives, links, ids.
NOT_PROSE = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|```.*?```|\{[a-z:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|\b[CNU]\d[a-z]?\b",
    re.DOTALL,
)
TYPED_NUMBER = re.compile(r"\d+\.\d+|\d+ ?%|\d{3,}")


def read(notebook, suffix):
    path = ROOT / "notebooks" / f"{notebook}.{suffix}"
    assert path.is_file(), f"{path} is missing"
    return jupytext.read(path) if suffix == "py" else nbformat.read(path, as_version=4)


def sections(notebook):
    """Level-2 headings and the Markdown below each, in order."""
    found: dict[str, str] = {}
    title = ""
    for cell in read(notebook, "ipynb").cells:
        if cell.cell_type != "markdown":
            continue
        for line in cell.source.splitlines():
            if line.startswith("## "):
                title = line[3:].strip()
                assert title not in found, f"section {title} stands twice"
            found[title] = found.get(title, "") + line + "\n"
    found.pop("", None)
    return found


def code_cells(notebook):
    return [cell for cell in read(notebook, "ipynb").cells if cell.cell_type == "code"]


def test_every_notebook_has_a_schema():
    there = (ROOT / "notebooks").rglob("*.ipynb")
    names = {p.relative_to(ROOT / "notebooks").with_suffix("").as_posix() for p in there}
    # The explorers are no pages: they have controls where pages have parameters.
    own = {name for name in names if not name.startswith("explore/")}
    assert {name for name in own if ".ipynb_checkpoints" not in name} == set(SCHEMAS)


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_both_forms_say_the_same(notebook):
    pairs = [
        [(cell.cell_type, cell.source, tags(cell)) for cell in read(notebook, suffix).cells]
        for suffix in ("py", "ipynb")
    ]
    assert pairs[0] == pairs[1], f"run: jupytext --sync notebooks/{notebook}.py"


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_the_ipynb_has_a_kernel_and_no_outputs(notebook):
    content = read(notebook, "ipynb")
    nbformat.validate(content)
    assert content.metadata.kernelspec.name == "python3"
    assert content.metadata.kernelspec.language == "python"
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_sections_stand_in_their_order(notebook):
    found = list(sections(notebook))
    if notebook in JUDGED:
        assert tuple(found) == SECTIONS
    else:
        shared = [title for title in found if title in SECTIONS]
        assert shared == [title for title in SECTIONS if title in shared]
        assert {"Parameters", "Limits", "Provenance"} <= set(shared)


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_cells_are_short_and_define_nothing(notebook):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if "parameters" not in tags(cell):
            assert len(lines) <= LONGEST_CELL, f"a cell of {len(lines)} lines:\n{cell.source}"
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), (
                f"{node.name} belongs in crlib"
            )


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_parameters_come_first_and_are_checked_next(notebook):
    first, second, *_, last = code_cells(notebook)
    assert "parameters" in tags(first)
    assigned = [
        target.id
        for node in ast.parse(first.source).body
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    assert sorted(assigned) == sorted(SCHEMAS[notebook].model_fields)
    assert f'settings.parameters("{notebook}", globals())' in second.source
    assert last.source.strip() == "run.finish()"


@pytest.mark.parametrize("notebook", sorted(JUDGED))
def test_the_title_is_the_claims(notebook):
    titles = {claim.title for claim in load_claims() if claim.notebook == notebook}
    heading = read(notebook, "ipynb").cells[0].source.splitlines()[0]
    assert heading.removeprefix("# ") in titles


@pytest.mark.parametrize("notebook", sorted(JUDGED))
def test_the_banner_stands_under_verdict(notebook):
    assert re.search(r"```\{glue\} verdict\n```", sections(notebook)["Verdict"])


@pytest.mark.parametrize("notebook", SCHEMAS)
@pytest.mark.parametrize("title", ["Verdict", "Evidence", "Reading the figure"])
def test_no_result_is_typed_into_prose(notebook, title):
    prose = NOT_PROSE.sub(" ", sections(notebook).get(title, ""))
    assert TYPED_NUMBER.findall(prose) == []


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_every_glued_number_is_recorded(notebook):
    text = "\n".join(c.source for c in read(notebook, "ipynb").cells if c.cell_type == "markdown")
    glued = set(re.findall(r"\{glue:text\}`([a-zA-Z_0-9]+)", text))
    code = "\n".join(cell.source for cell in code_cells(notebook))
    named = {
        keyword.arg
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run.number"
        for keyword in node.keywords
    }
    unpacked = "run.number(**" in code
    assert unpacked or glued <= named, f"glued but never recorded: {glued - named}"


@pytest.mark.parametrize("notebook", SCHEMAS)
def test_every_figure_has_alt_text_and_data(notebook):
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "figures.show":
                assert {"alt", "data", "run"} <= {k.arg for k in node.keywords} | (
                    {"alt"} if len(node.args) >= 3 else set()
                )

"""What surrounds the project says the same as the project: versions, commands, the lock."""

import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml

from crlib.settings import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_of_the_format():
    """Required keys and values of the Citation File Format 1.2.0."""
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in ("software", "dataset")
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    paper = citation["preferred-citation"]
    assert {"type", "title", "authors"} <= set(paper)
    for author in [*citation["authors"], *paper["authors"]]:
        assert set(author) == {"name"}, "an entity has a name alone; a person has two"


def test_the_changelogs_newest_version_is_the_projects():
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == PROJECT["version"]
    assert versions == sorted(versions, reverse=True, key=lambda v: [*map(int, v.split("."))])


def test_hooks_run_the_projects_own_tools():
    (repo,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repo["repo"] == "local", "a hook from elsewhere would be fetched, in another version"
    tools = {shlex.split(hook["entry"])[0] for hook in repo["hooks"]}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/python"}
    linted = [hook["entry"] for hook in repo["hooks"] if "ruff" in hook["entry"]]
    for entry in linted:
        command = [*shlex.split(entry.replace(".venv/bin/ruff", "ruff")), "crlib/io.py"]
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_calls_the_two_commands_and_sets_nothing_else_up():
    workflow = yaml.safe_load(read(".github/workflows/book.yml"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == ["make test", "make book"]
    used = {step["uses"] for step in steps if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)
    pythons = {str(s["with"]["python-version"]) for s in steps if "setup-python" in str(s)}
    assert pythons == {"3.11"}
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["publish"]["if"] == "github.ref == 'refs/heads/main'"
    assert set(workflow["jobs"]["publish"]["needs"]) == {"test", "book"}
    (artifact,) = [s for s in steps if "pages-artifact" in str(s.get("uses"))]
    assert artifact["with"]["path"] == "build/laptop/html"


def test_the_image_takes_its_packages_from_the_lock():
    text = read("Dockerfile").replace("\\\n", " ")
    assert re.search(r"^FROM python:3\.11", text, re.MULTILINE)
    assert "pip install" not in text
    commands = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    assert "make env" in commands
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    assert 'CMD ["make", "book"]' in text
    for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE):
        sources = [word for word in line.split() if not word.startswith("--")][:-1]
        for source in sources:
            assert (ROOT / source).exists(), source
    # What `make env` reads is there before it runs.
    before = text[: text.index("RUN make env")]
    for name in ("Makefile", "pyproject.toml", "requirements.lock", PROJECT["readme"], "LICENSE"):
        assert name in before
    ignored = set(read(".dockerignore").split())
    assert {".venv", "build"} <= ignored
    assert ".git" not in ignored, "a run without the history does not know its commit"


def test_binder_takes_its_packages_from_the_lock():
    assert read("binder/requirements.txt").split("\n")[0] == "-r ../requirements.lock"
    assert (ROOT / "binder" / ".." / "requirements.lock").is_file()
    assert read("binder/runtime.txt").strip() == "python-3.11"
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "--no-deps" in script.read_text()


WITH_LINKS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/README.md")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", WITH_LINKS)
def test_links_lead_somewhere(name):
    for target in LINK.findall(read(name)):
        if target.startswith("http"):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/\S*)?", target), target
        else:
            assert (ROOT / name).parent.joinpath(target.partition("#")[0]).exists(), target

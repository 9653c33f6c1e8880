"""Why a job ran, in words; the forms are those of the pinned Snakemake."""

import subprocess
import sys

import pytest

from crlib.book.reasons import plain_reason
from crlib.settings import BUILD, ROOT


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Missing output files: /a/b; Input files updated by another job: /c", "not made yet"),
        (f"Updated input files: {ROOT}/crlib/a.py", "changed: crlib/a.py"),
        (f"Updated input files: {ROOT}/crlib/a.py, {ROOT}/b.py, /c, /d",
         "changed: /c, /d and 2 more"),
        (f"Input files updated by another job: {BUILD}/results/laptop/theory/regret/result.json",
         "made again: the results of theory/regret"),
        (f"Input files updated by another job: {BUILD}/markers/catalogue/all.json, "
         f"{BUILD}/markers/vectors/all-400-0/small.json",
         "made again: the action space and the vectors of small"),
        ("Params have changed since last execution: before: 1 now: 2", "its settings changed"),
        ("Something new", "Something new"),
    ],
)  # fmt: skip
def test_a_reason_is_said_plainly(reason, said):
    assert plain_reason(reason) == said


def test_snakemake_still_says_it_in_these_forms(tmp_path):
    """Runs the pinned Snakemake: made, nothing to do, its input changed, its command changed."""

    def reasons(command: str, content: str) -> list[str]:
        (tmp_path / "in").write_text(content)
        (tmp_path / "Snakefile").write_text(
            'rule a:\n    input: "in"\n    output: "out"\n    message: "a"\n'
            f'    shell: "{command}"\n'
        )
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock"], cwd=tmp_path,
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        lines = (done.stdout + done.stderr).splitlines()
        found = [line.partition(":")[2] for line in lines if line.startswith("Reason:")]
        return [plain_reason(reason) for reason in found]

    copy = "cp {input} {output}"
    assert reasons(copy, "1") == ["not made yet"]
    assert reasons(copy, "1") == []
    assert reasons(copy, "22") == ["changed: in"]
    assert reasons("cat {input} > {output}", "22") == ["the Snakefile's command for it changed"]

"""`make book`'s report: a line a job, the failures named, one build at a time."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crlib.book import make

OUTPUT = """Building DAG of jobs...
[Mon Nov 23 05:44:39 2026]
Job 2: vectors: simcse
Reason: Missing output files: a.txt
[Mon Nov 23 05:44:39 2026]
Finished jobid: 2 (Rule: vectors)
1 of 4 steps (25%) done
Job 1: notebook: theory/coverage
Error in rule notebook:
    log: /x/coverage.log (check log file(s) for error details)
Error in rule notebook:
    log: /x/coverage.log (check log file(s) for error details)
"""


def test_report_names_what_was_done_and_what_failed(capsys):
    log = io.StringIO()
    finished, failed = make.report(OUTPUT.splitlines(keepends=True), log)
    assert (finished, failed) == (1, [Path("/x/coverage.log")])
    assert capsys.readouterr().out == "[1/4] vectors: simcse: not made yet (0 s)\n"
    assert log.getvalue() == OUTPUT


def test_a_job_that_failed_and_came_back_is_not_reported():
    """As Snakemake prints it with retries, where the cluster's own log follows the job's."""
    error = "Error in rule a:\n    jobid: {0}\n    log: /x/{0}.log, /y/1 (check log file(s) for)\n"
    lines = [
        "Job 1: one\n", "Job 2: two\n", error.format(1), error.format(2),
        "Finished jobid: 1 (Rule: a)\n", "1 of 2 steps (50%) done\n", error.format(2),
        "Exiting because a job execution failed.\n", error.format(1), error.format(2),
    ]  # fmt: skip
    _, failed = make.report("".join(lines).splitlines(keepends=True), io.StringIO())
    assert failed == [Path("/x/2.log")]


DRIVER = """
import sys
from pathlib import Path
from crlib.book import make
folder, calls = Path(sys.argv[1]), [[sys.executable, "-c", code] for code in sys.argv[2:]]
with make.only_one(folder / "lock") as lock:
    print(make.run_snakemake(calls, folder / "log", lock))
"""


def test_calls_follow_each_other_though_one_fails(tmp_path):
    """A part of the vectors that failed keeps no notebook of another model from running."""
    said = "    jobid: 1\\n    log: /x/1.log (check log file(s) for error details)"
    fails = f"print('{said}'); raise SystemExit(3)"
    for codes, last in ((["print('one')", fails, "print('three')"], 0), ([fails, fails], 3)):
        call = [sys.executable, "-c", DRIVER, tmp_path, *codes]
        found = subprocess.run(call, capture_output=True, text=True, check=True, timeout=60)
        assert found.stdout == f"(0, [PosixPath('/x/1.log')], {last})\n"
        if last == 0:  # the last call asks for all
            log = (tmp_path / "log").read_text().splitlines()
            assert (log[0], log[-1]) == ("one", "three")


def test_ctrl_c_waits_for_the_jobs_and_says_how_to_go_on(tmp_path, hear_ctrl_c):
    job = (
        "import signal, time\ntry:\n print('up', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n time.sleep(1); print('cleaned')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, tmp_path, job, job], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    log = tmp_path / "log"
    while not (log.is_file() and "up" in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert output == f"(0, [], {make.INTERRUPTED})\n"
    assert errors == "\nInterrupted. Call the same command to go on from here.\n"


def test_a_missing_notebook_is_named_though_an_earlier_book_is_there(monkeypatch):
    monkeypatch.setattr(make, "read_profile", lambda profile: {"theory/coverage": {}, "a/b": {}})
    (lost,) = make.missing_files("any")
    assert lost.parts[-2:] == ("a", "b.ipynb")


def test_the_last_line_of_a_log_says_what_went_wrong(tmp_path):
    log = tmp_path / "job.log"
    assert make.last_line(log) == "killed before it wrote a line"
    log.write_text("Traceback\ncoverage: ValueError: no\n\n")
    assert make.last_line(log) == "coverage: ValueError: no"
    # As Snakemake tells of an error in the Snakefile.
    log.write_text(
        'ValueError in file "/x/Snakefile", line 22:\nmine.yaml: no such model\n'
        '  File "/x/Snakefile", line 22, in <module>\n  File "/x/g.py", line 9, in f\n'
    )
    assert make.last_line(log) == "mine.yaml: no such model"


def test_one_build_at_a_time(tmp_path):
    with (
        make.only_one(tmp_path / ".lock"),
        pytest.raises(RuntimeError, match="another build is at work"),
        make.only_one(tmp_path / ".lock"),
    ):
        pass
    with make.only_one(tmp_path / ".lock"):
        pass


def test_a_killed_build_leaves_no_lock(tmp_path):
    lock = tmp_path / ".lock"
    code = (
        "import time; from pathlib import Path; from crlib.book.make import only_one\n"
        f"with only_one(Path({str(lock)!r})):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RuntimeError, match="another build"), make.only_one(lock):
            pass
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while True:
        try:
            with make.only_one(lock):
                break
        except RuntimeError:
            assert time.monotonic() < deadline, "the lock outlived its process"


def test_a_wrong_profile_is_one_line(make_book):
    done = make_book("--profile", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("make book: no profile 'nothing' in profiles/; there are: ")
    assert done.stderr.count("\n") == 1


def test_the_paper_profile_names_what_is_missing_before_anything_runs(monkeypatch):
    from crlib.extractors.hub import states

    monkeypatch.setattr(states, "machine_memory", lambda: 8.0)
    monkeypatch.setattr(states, "is_cached", lambda repo: "bert-base-uncased" in repo)
    missing = make.missing_models("paper")
    assert [line.partition(":")[0] for line in missing] == [
        "roberta-base", "llama-3-8b", "jina-v3", "llm2vec-llama-3",
    ]  # fmt: skip
    assert "16.1 GB, and this machine has 8.0 GB" in missing[1]
    assert make.missing_models("smoke") == make.missing_models("laptop") == []


def test_the_paper_profile_names_missing_data(monkeypatch, tmp_path):
    monkeypatch.delenv("CRLIB_DATA", raising=False)
    lines = make.missing_sets("paper")
    assert sorted(line.split(":")[0] for line in lines) == [
        "amazon-electronics", "gsm8k", "math500", "toolbench",
    ]  # fmt: skip
    (line,) = [line for line in lines if line.startswith("amazon")]
    assert line.startswith("amazon-electronics: not found, about 6.1 GB; ")
    assert make.missing_sets("smoke") == make.missing_sets("laptop") == []
    (tmp_path / "amazon_electronics").mkdir()
    monkeypatch.setenv("CRLIB_DATA", str(tmp_path))
    assert not [line for line in make.missing_sets("paper") if line.startswith("amazon")]


def test_make_book_with_the_paper_profile_refuses_at_once(make_book):
    offline = {**os.environ, "HF_HUB_CACHE": "/nonexistent", "HF_HUB_OFFLINE": "1"}
    done = make_book("--profile", "paper", env=offline)
    assert done.returncode == 2
    assert "jina-v3: to be downloaded, about 2.3 GB; `hf download" in done.stderr
    assert "amazon-electronics: not found" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_more_jobs_run_at_once_than_there_are_cores(tmp_path):
    """Releases of Snakemake up to 9.16 gave a core back twice after a job that was alone."""
    rules = [
        'rule all:\n    input: expand("p{i}", i=range(5))\n',
        'rule first:\n    output: "o0"\n    shell: "touch {output}"\n',
        'rule second:\n    input: "o0"\n    output: "o1"\n    shell: "touch {output}"\n',
        'rule wide:\n    input: "o1"\n    output: "p{i}"\n'
        '    shell: "date +%s.%N > {output}; sleep 1; date +%s.%N >> {output}"\n',
    ]
    (tmp_path / "Snakefile").write_text("\n".join(rules))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nolock"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    spans = [tuple(map(float, path.read_text().split())) for path in tmp_path.glob("p?")]
    assert len(spans) == 5
    for start, _ in spans:
        assert sum(begun <= start < ended for begun, ended in spans) <= 2

"""A sweep on a real SLURM, started here: submitted, killed, failed, and not run again."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from crlib.settings import ROOT

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")

GRID = """
profile: smoke
shards: 2
notebooks:
  theory/coverage:
    - k: [10, 30]
    # The packages have fewer actions than that: the run fails.
    - {limit: [9000], k: [8999]}
"""

CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished.txt
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    return [name for name in PROGRAMS if shutil.which(name) is None]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of one node, and its folder."""
    # Jobs start without the variables of the shell that submits them, and look here.
    place = Path("/etc/slurm/slurm.conf")
    if place.is_symlink() and not place.exists():
        place.unlink()  # of a test that was killed
    lost = missing()
    if lost or place.exists():
        message = "this machine belongs to a cluster already"
        if lost:
            message = f"no SLURM on this machine ({', '.join(lost)}); install slurm-wlm and munge"
        if os.environ.get("CRLIB_REQUIRE_SLURM") == "1":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for parent in (folder, *folder.parents[:2]):  # munge wants a path that others can search
        parent.chmod(0o755)
    key = folder / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    host = socket.gethostname().partition(".")[0]
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=host, user=user, folder=folder, ports=ports))
    daemons = [
        ["munged", "--foreground", "--force", f"--key-file={key}",
         f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid",
         f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"],
        ["slurmctld", "-D", "-f", str(config)],
        ["slurmd", "-D", "-f", str(config)],
    ]  # fmt: skip
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(config)
    running = []
    try:
        for command in daemons:
            running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            time.sleep(1)
        wait(lambda: "idle" in said("sinfo", "-h", "-o", "%T"), 30, "the node is idle")
        yield folder
    finally:
        subprocess.run(["scancel", f"--user={user}"], check=False)
        time.sleep(1)
        for process in reversed(running):
            process.terminate()
            process.wait(20)
        place.unlink()


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait(condition, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.5)


def sweep(grid: Path, build: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "crlib.sweep.make", str(grid), "--jobs", "3",
         "--executor", "slurm"],
        cwd=ROOT, env=os.environ | {"CRLIB_BUILD": str(build)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finished(folder: Path) -> list[dict[str, str]]:
    """What SLURM has kept of each job that ended."""
    path = folder / "finished.txt"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]


@pytest.mark.smoke
@pytest.mark.timeout(900)
def test_a_sweep_runs_as_jobs_and_goes_on_where_it_was_stopped(cluster, tmp_path):
    grid = tmp_path / "tiny.yaml"
    grid.write_text(GRID)
    build = tmp_path / "build"
    process = sweep(grid, build)

    # One notebook is killed while it runs.
    killed: list[str] = []

    def kill() -> bool:
        for line in said("squeue", "-h", "-t", "RUNNING", "-o", "%i %M %k").splitlines():
            identity, elapsed, comment = line.split(maxsplit=2)
            minutes, _, seconds = elapsed.rpartition(":")
            midway = minutes != "0" or int(seconds) >= 5
            if midway and "notebook" in comment and "k-30" in comment:
                subprocess.run(["scancel", identity], check=True)
                killed.append(identity)
                return True
        return process.poll() is not None

    wait(kill, 300, "a notebook runs")
    output, _ = process.communicate(timeout=500)
    print(f"{output}killed while it ran: SLURM's job {', '.join(killed)}")
    assert killed, output
    jobs = finished(cluster)
    states = {job["JobId"]: job["JobState"] for job in jobs}
    assert states[killed[0]] == "CANCELLED"
    # Three submissions of the point that raises, of which the first alone ran its notebook.
    tries = [job for job in jobs if job["JobState"] == "FAILED"]
    assert len(tries) == 3, tries

    # What was killed ran again, and all but the point that cannot run are there.
    table = pd.read_csv(build / "sweeps" / "tiny" / "table.csv")
    state = table.drop_duplicates("run").set_index("run")["state"]
    assert state.to_dict() == {
        "theory/coverage/k-10": "done", "theory/coverage/k-30": "done",
        "theory/coverage/limit-9000_k-8999": "failed",
    }, output  # fmt: skip
    assert "2 of 3 points (1 failed)" in output
    assert sum("COMPLETED" in job for job in states.values()) >= 8, "not all ran as jobs"

    # The failed one is named with its sentence and its log.
    assert process.returncode == 1
    (line,) = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert "k = 8999: this run has" in line
    log = build / "sweeps/tiny/logs/theory/coverage/limit-9000_k-8999.log"
    assert f"log: {log}" in output
    assert "k = 8999" in log.read_text()

    # A second call runs the failed one and no other.
    before = len(jobs)
    output, _ = sweep(grid, build).communicate(timeout=500)
    again = finished(cluster)[before:]
    assert again, output
    assert all(job["JobState"] == "FAILED" for job in again), again
    assert "0 jobs just now" in output
    print(output)

"""The validity atlas: each part of a claim along one axis, all else as it is judged."""

from pathlib import Path
from typing import Any

import pandas as pd

from crlib import io, provenance
from crlib.schemas import SCHEMAS
from crlib.settings import BUILD, ROOT, read_profile

MEASURED = ROOT / "sweeps" / "atlas.csv"
OWN = BUILD / "sweeps" / "atlas" / "table.csv"
AXES = {
    "limit": "number of actions K",
    "m": "kept dimensions d",
    "k": "sampled actions k",
    "n_labels": "labels n",
    "t": "temperature t",
    "seed": "seed",
}
UNORDERED = ("seed",)  # names and no quantities: told in the table, not drawn
ENDS = ("estimate", "ci_low", "ci_high")
# Of a sweep's table; after these come the axes of its grid.
COLUMNS = (
    "notebook", "run", "profile", "state", "note", "part", "group", "estimate", "ci_low", "ci_high",
    "n", "unit", "verdict", "seconds", "commit", "dirty", "date",
)  # fmt: skip
NEEDED = {"notebook", "run", "state", "part", "group", "estimate", "ci_low", "ci_high", "verdict",
          "commit", "date", "seconds"}  # fmt: skip


def table_file(path: str = "") -> Path:
    """The table to read: the one given, else the reader's own whole sweep, else the shipped one."""
    if path:
        return Path(path)
    whole = OWN.is_file() and pd.read_csv(OWN, usecols=["state"])["state"].eq("done").all()
    return OWN if whole else MEASURED


def read_table(path: str = "") -> pd.DataFrame:
    """Read a sweep's table, as `crlib.sweep.gather` writes it, and keep its hash for the record.

    Raises
    ------
    ValueError
        When the file is missing or is no such table.
    """
    file = table_file(path)
    if not file.is_file():
        raise ValueError(f"{file}: no such table; make sweep GRID=sweeps/atlas.yaml writes one")
    table = pd.read_csv(file)
    if lost := NEEDED - set(table.columns):
        raise ValueError(f"{file.name} is no table of a sweep: it lacks {', '.join(sorted(lost))}")
    provenance.note_input(file.name, [file.read_bytes()])
    return table


def read_record(path: str = "") -> dict[str, Any]:
    """Read what a sweep's table was made of (`crlib.sweep.gather.made_of`), its neighbour as .json.

    Raises
    ------
    ValueError
        When there is none.
    """
    file = table_file(path).with_suffix(".json")
    if not file.is_file():
        raise ValueError(f"{file}: missing; make sweep writes it beside the table")
    record: dict[str, Any] = io.read_json(file)
    provenance.note_input(file.name, [file.read_bytes()])
    return record


def along_axes(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the runs that change one parameter, and say which.

    Parameters
    ----------
    table : pandas.DataFrame
        As `read_table` gives it.

    Returns
    -------
    pandas.DataFrame
        Columns part, axis, value, judged (the value that the run's profile has), group, estimate,
        ci_low, ci_high, verdict; sorted by part, axis, group and value. Of a table with several
        profiles a group is a pair under one of them.

    Raises
    ------
    ValueError
        When no run changes just one of `AXES`.
    """
    axes = [axis for axis in AXES if axis in table.columns]
    moved = [column for column in table.columns if column not in COLUMNS]
    judged = table[(table["state"] == "done") & table["part"].notna()]
    # Tables from before this column are of the default profile.
    judged = judged.assign(profile=judged.get("profile", "laptop"))
    if judged["profile"].nunique() > 1:
        judged["group"] = judged["group"] + " (" + judged["profile"] + ")"
    profiles = {name: read_profile(name) for name in judged["profile"].unique()}
    frames = []
    for axis in axes:
        others = [other for other in moved if other != axis]
        rows = judged[judged[axis].notna() & judged[others].isna().all(axis=1)]
        usual = [
            profiles[name].get(notebook, {}).get(axis, SCHEMAS[notebook].model_fields[axis].default)
            for name, notebook in zip(rows["profile"], rows["notebook"], strict=True)
        ]
        frames.append(rows.assign(axis=axis, value=rows[axis], judged=usual))
    found = pd.concat(frames) if frames else pd.DataFrame()
    if found.empty:
        raise ValueError(f"the table has no run that changes one of {', '.join(AXES)} alone")
    columns = ["part", "axis", "value", "judged", "group", "estimate", "ci_low", "ci_high",
               "verdict"]  # fmt: skip
    return found[columns].sort_values(["part", "axis", "group", "value"], ignore_index=True)


def flips(frame: pd.DataFrame) -> pd.DataFrame:
    """Say for each part, axis and pair whether the verdict holds along the axis, and where not.

    Returns
    -------
    pandas.DataFrame
        Columns part, axis, group, values (how many), judged (the verdict at the judged value),
        others (elsewhere: "inconclusive at 500; 1,000" or "the same") and kind: "flips" (supported
        at one value, not supported at another), "fades" (inconclusive at other values than the
        judged one), "emerges" (inconclusive at the judged value, decided at another), "holds", or
        "idle" (neither estimate nor interval ever moves: the parameter has no part in it).
    """
    rows = []
    for (part, axis, group), series in frame.groupby(["part", "axis", "group"], sort=False):
        at = series[series["value"] == series["judged"]]["verdict"]
        here = str(at.iloc[0]) if len(at) else "not run"
        away = series[series["verdict"] != here].groupby("verdict", sort=False)["value"]
        other = [f"{verdict} at {'; '.join(f'{value:,g}' for value in values)}"
                 for verdict, values in away]  # fmt: skip
        rows.append({"part": part, "axis": AXES[str(axis)], "group": group, "values": len(series),
                     "judged": here, "others": ", ".join(other) or "the same",
                     "kind": _kind(series, here)})  # fmt: skip
    return pd.DataFrame(rows)


def _kind(series: pd.DataFrame, here: str) -> str:
    seen = set(series["verdict"])
    if {"supported", "not supported"} <= seen:
        return "flips"
    if len(seen) > 1:
        return "emerges" if here == "inconclusive" else "fades"
    apart = series[list(ENDS)].drop_duplicates()
    return "idle" if len(series) > 1 and len(apart) == 1 else "holds"

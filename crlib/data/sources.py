"""Every data set that the loaders read: what it is, on what terms, and how one gets it."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from crlib.data.files import VARIABLE


@dataclass(frozen=True)
class HubFile:
    """A file of a dataset repository on the Hugging Face hub.

    Attributes
    ----------
    repo : str
    path : str
        Within the repository; it is kept below the set's folder.
    megabytes : float
        10^6 bytes, about; the hub is asked for the exact figure before a download.
    """

    repo: str
    path: str
    megabytes: float


@dataclass(frozen=True)
class DataSource:
    """A data set.

    Attributes
    ----------
    title : str
    licence : str
        As its authors state it.
    citation : str
    keys : tuple of str
        Entries of the bibliography.
    address : str
        Where its authors publish it.
    expected : tuple of str
        Files or folders below the folder that CRLIB_DATA names; one of them is enough.
    files : tuple of HubFile
        What `crlib.data.hub.download` fetches; empty where its authors publish it elsewhere.
    how : str
        How to get it without the hub.
    """

    title: str
    licence: str
    citation: str
    keys: tuple[str, ...]
    address: str
    expected: tuple[str, ...]
    files: tuple[HubFile, ...] = ()
    how: str = ""

    @property
    def folder(self) -> str:
        """Folder of the set below the folder of all data sets."""
        return self.expected[0].partition("/")[0]

    @property
    def provenance(self) -> dict[str, str]:
        """What a loaded set says of its terms."""
        return {"licence": self.licence, "citation": self.citation, "address": self.address}


AMAZON_2023 = "McAuley-Lab/Amazon-Reviews-2023"
TOOLLENS = "Tool-COLT/ToolLens"
GSM8K = "openai/gsm8k"
STS = "mteb/stsbenchmark-sts"

SOURCES: dict[str, DataSource] = {
    "toolbench": DataSource(
        "ToolBench: 16,464 web APIs of RapidAPI and instructions that need them",
        "Apache-2.0",
        "Qin et al. (2023), arXiv:2307.16789",
        ("qin2024toolllm",),
        "https://github.com/OpenBMB/ToolBench",
        ("toolbench/data", "toolbench/instruction", "toolbench/test_instruction/stabletoolbench"),
        how="its README links data.zip on Google Drive and Tsinghua Cloud; unpack it, so that "
        "toolbench/data/toolenv/tools and toolbench/data/instruction are there",
    ),
    "toollens": DataSource(
        "ToolLens: queries that need several APIs of ToolBench",
        "CC BY-SA 4.0",
        "Qu et al. (2024), arXiv:2405.16089",
        ("qu2024colt",),
        "https://github.com/quchangle1/COLT",
        ("toollens",),
        (
            # Paths as in the authors' repository, which is laid out in the same way.
            HubFile(TOOLLENS, "corpus.jsonl", 0.3),
            HubFile(TOOLLENS, "queries.jsonl", 3.4),
            HubFile(TOOLLENS, "qrels/train.tsv", 0.5),
            HubFile(TOOLLENS, "qrels/test.tsv", 0.1),
        ),
        how="datasets/ToolLens of the repository",
    ),
    "amazon-electronics": DataSource(
        "Amazon Reviews 2023, Electronics: items' texts and the 5-core ratings",
        "none stated by its authors; for research",
        "Hou et al. (2024), arXiv:2403.03952",
        ("hou2024bridging",),
        "https://amazon-reviews-2023.github.io",
        ("amazon_electronics",),
        (
            HubFile(AMAZON_2023, "raw/meta_categories/meta_Electronics.jsonl", 5_250),
            HubFile(AMAZON_2023, "benchmark/5core/rating_only/Electronics.csv", 855),
        ),
        how="meta_Electronics.jsonl.gz and the 5-core Electronics.csv.gz of its page; the files "
        "of 2018 and 2014 are read too",
    ),
    "amazon-games": DataSource(
        "Amazon Video Games (2018): titles and users' histories, prepared by LLMRank",
        "none stated by the authors of the reviews; for research",
        "Ni, Li and McAuley (2019), EMNLP; prepared by Hou et al. (2024), arXiv:2305.08845",
        ("ni2019justifying", "hou2024large"),
        "https://github.com/RUCAIBox/LLMRank",
        ("amazon_video_games_2018/Games-6k", "amazon_video_games_2018"),
        how="llmrank/dataset/Games-6k of the repository: Games-6k.item and Games-6k.*.inter",
    ),
    "gsm8k": DataSource(
        "GSM8K: grade school mathematics with worked solutions",
        "MIT",
        "Cobbe et al. (2021), arXiv:2110.14168",
        ("cobbe2021training",),
        "https://github.com/openai/grade-school-math",
        ("gsm8k",),
        (
            HubFile(GSM8K, "main/train-00000-of-00001.parquet", 2.3),
            HubFile(GSM8K, "main/test-00000-of-00001.parquet", 0.4),
        ),
        how="grade_school_math/data of the repository: train.jsonl and test.jsonl",
    ),
    "math500": DataSource(
        "MATH-500: competition mathematics with worked solutions",
        "MIT",
        "Hendrycks et al. (2021), arXiv:2103.03874; "
        "the 500 of Lightman et al. (2023), arXiv:2305.20050",
        ("hendrycks2021measuring", "lightman2024verify"),
        "https://github.com/openai/prm800k",
        ("math500",),
        (HubFile("HuggingFaceH4/MATH-500", "test.jsonl", 0.4),),
        how="prm800k/math_splits/test.jsonl of the repository",
    ),
    "sts-b": DataSource(
        "STS Benchmark: sentence pairs with human scores of likeness",
        "see its LICENSE.txt; mixed, by origin of the sentences",
        "Cer et al. (2017), arXiv:1708.00055",
        ("cer2017semeval",),
        "https://ixa2.si.ehu.eus/stswiki/index.php/STSbenchmark",
        ("stsb",),
        (
            HubFile(STS, "train.jsonl.gz", 0.3),
            HubFile(STS, "validation.jsonl.gz", 0.1),
            HubFile(STS, "test.jsonl.gz", 0.1),
        ),
        how="sts-train.csv, sts-dev.csv and sts-test.csv of its page",
    ),
}


def sources_frame(folder: str | Path | None = None) -> pd.DataFrame:
    """All data sets, as a table to be read.

    Parameters
    ----------
    folder : str or Path, optional
        Folder of all data sets; the one that CRLIB_DATA names by default.

    Returns
    -------
    pandas.DataFrame
        Columns set, what it is, licence, citation, size (of the download), state, how to get it.
        The project's own set, which needs no file, comes first.
    """
    given = folder if folder is not None else os.environ.get(VARIABLE)
    rows = [
        {
            "set": "python-api",
            "what it is": "documented callables of the installed packages, and who calls them",
            "licence": "each package's own",
            "citation": "this project",
            "size": "none",
            "state": "in the environment",
            "how to get it": "nothing to do: it is harvested at the first call",
        }
    ]
    for name, source in SOURCES.items():
        there = given is not None and any((Path(given) / item).exists() for item in source.expected)
        rows.append(
            {
                "set": name,
                "what it is": source.title,
                "licence": source.licence,
                "citation": source.citation,
                "size": size_text(sum(file.megabytes for file in source.files)),
                "state": "found" if there else "not found",
                "how to get it": how_to_get(name),
            }
        )
    return pd.DataFrame(rows)


def data_states() -> list[tuple[str, str, str]]:
    """Name, state and remedy of each data set, for `crlib doctor`."""
    given = os.environ.get(VARIABLE)
    wrong = ""
    if given is not None and not Path(given).is_dir():
        wrong = f"{VARIABLE} = {given} is no folder; set it to the folder of all data sets. "
    return [
        (row["set"], row["state"], "")
        if row["state"] != "not found"
        else (row["set"], f"not found ({row['size']})", wrong + _remedy(row["set"]))
        for row in sources_frame().to_dict("records")
    ]


def _remedy(name: str) -> str:
    folder = SOURCES[name].expected[0]
    return f"{how_to_get(name)}; put it into {folder} of the folder that {VARIABLE} names"


def size_text(megabytes: float) -> str:
    """A size for people to read; nothing is known of zero."""
    if megabytes == 0:
        return "size not stated"
    if megabytes >= 1_000:
        return f"about {megabytes / 1_000:.1f} GB"
    return f"about {max(megabytes, 0.1):.1f} MB"


def how_to_get(name: str) -> str:
    """How to get a data set, in a sentence."""
    source = SOURCES[name]
    by_hand = f"{source.address}: {source.how}"
    if not source.files:
        return by_hand
    repo = source.files[0].repo
    return f"download=True fetches it from {repo} on the Hugging Face hub; or {by_hand}"

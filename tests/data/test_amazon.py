"""Amazon's releases: constructed files against numbers by hand, real ones against pandas."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crlib.data import load
from crlib.data.actions import subset
from crlib.data.amazon_items import MAX_CHARACTERS, MAX_LITERAL

META = {
    "main_category": "All Electronics", "title": "Headphones", "average_rating": 4.1,
    "rating_number": 9, "features": ["Loud", "Light"], "description": ["For <b>ears</b>", "Blue"],
    "price": 9.5, "store": "Acme", "categories": ["Electronics", "Audio &amp; Video", "On-Ear"],
    "details": {"Brand": "Acme"}, "parent_asin": "B1",
}  # fmt: skip
META_2018 = {
    "category": ["Electronics", "Audio"], "description": ["For ears"], "title": "Headphones",
    "brand": "Acme", "feature": ["Loud"], "main_cat": "Home Audio", "asin": "B1", "price": "",
}  # fmt: skip
META_2014 = {
    "asin": "B1", "title": "Ann's \"phones\"", "brand": "Acme", "description": "For ears",
    "price": 9.5, "categories": [["Electronics", "Audio"], ["Gifts"]], "related": {},
}  # fmt: skip
REVIEW = {"rating": 5.0, "title": "Good", "text": "Very", "asin": "B1-blue", "parent_asin": "B1",
          "user_id": "u", "timestamp": 1588687728923}  # fmt: skip
REVIEW_2018 = {"overall": 5.0, "reviewerID": "u", "asin": "B1", "unixReviewTime": 1441324800}
HEADER = "user_id,parent_asin,rating,timestamp"


def lines(path: Path, rows) -> None:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


def shop(folder: Path, ratings, *, items=("B1", "B2", "B3")) -> Path:
    """The release of 2023: metadata of `items`, ratings as (user, item, value, time)."""
    lines(folder / "meta_Electronics.jsonl", [META | {"parent_asin": i} for i in items])
    rows = [",".join(map(str, row)) for row in ratings]
    lines(folder / "Electronics.csv", [HEADER, *rows])
    return folder


def electronics(folder: Path, **options):
    return load("amazon-electronics", path=folder, **options)


def test_positives_are_users_and_all_ratings_are_kept_beside_them(tmp_path):
    rows = [("u", "B1", 5.0, 1), ("v", "B2", 4.0, 1), ("u", "B2", 3.0, 2), ("w", "B1", 1.0, 1)]
    found = electronics(shop(tmp_path, rows))
    feedback = found.feedback
    assert feedback.user_ids == ("u", "v")
    np.testing.assert_array_equal(feedback.users.toarray(), [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(feedback.ratings.toarray(), [[5, 3, 0], [0, 4, 0]])
    assert feedback.user_groups == ("amazon-electronics",) * 2
    assert found.source["users_left_out"] == {"rated none of the items with 4 or more": 1}
    assert found.source["layouts"] == ["metadata 2023", "ratings 2023"]
    assert found.source["citation"].startswith("Hou et al. (2024)")


def test_a_subset_carries_ratings_and_counts_positives_only(tmp_path):
    rows = [("u", "B1", 5.0, 1), ("u", "B2", 3.0, 2), ("v", "B2", 4.0, 1), ("v", "B1", 2.0, 1)]
    small = subset(electronics(shop(tmp_path, rows)), [2, 1]).feedback
    assert small.user_ids == ("v",)  # u rated B2 as well, but not well
    np.testing.assert_array_equal(small.users.toarray(), [[0, 1]])
    np.testing.assert_array_equal(small.ratings.toarray(), [[0, 4]])


def test_a_text_is_title_maker_features_and_description_without_markup(tmp_path):
    shop(tmp_path, [("u", "B1", 5, 1)], items=["B1"])
    found = electronics(tmp_path)
    assert found.texts == ("Headphones. Acme. Loud. Light. For ears. Blue",)
    assert found.groups == ("Audio & Video",)
    long = META | {"description": ["word " * 1_000]}
    lines(tmp_path / "meta_Electronics.jsonl", [long])
    assert len(electronics(tmp_path).texts[0]) == MAX_CHARACTERS


@pytest.mark.parametrize(
    ("change", "group"),
    [
        ({}, "Audio & Video"),
        ({"categories": []}, "All Electronics"),
        ({"categories": ["Electronics"], "main_category": None}, "Electronics"),
        ({"categories": None, "main_category": '<img src="x.png"/>'}, "unknown"),
    ],
)
def test_groups_fall_back_from_the_second_level(tmp_path, change, group):
    lines(tmp_path / "meta.jsonl", [META | change])
    assert electronics(tmp_path).groups == (group,)


def release_2023(folder: Path) -> str:
    lines(folder / "a.jsonl", ["not a row", META])
    lines(folder / "b.jsonl.gz", [REVIEW])
    return "metadata 2023, reviews 2023"


def release_2018(folder: Path) -> str:
    lines(folder / "a.json", [META_2018])
    lines(folder / "b.json.gz", ["{", REVIEW_2018])
    return "metadata 2018, reviews 2018 or 2014"


def release_2014(folder: Path) -> str:
    lines(folder / "a.json.gz", [repr(META_2014)])
    lines(folder / "b.json", [REVIEW_2018])
    return "metadata 2014, reviews 2018 or 2014"


def parquet_2023(folder: Path) -> str:
    row = META | {"price": "9.5", "details": json.dumps(META["details"]), "images": {"hi_res": []}}
    pd.DataFrame([row]).to_parquet(folder / "full-00000-of-00001.parquet")
    lines(folder / "b.csv", [HEADER + ",history", "u,B1,5.0,1,B7 B8"])
    return "metadata 2023, ratings 2023"


@pytest.mark.parametrize("write", [release_2023, release_2018, release_2014, parquet_2023])
def test_the_release_is_told_from_the_content_whatever_the_names(tmp_path, write):
    layouts = write(tmp_path)
    found = electronics(tmp_path)
    assert ", ".join(found.source["layouts"]) == layouts
    assert found.ids == ("B1",)
    assert found.texts[0].endswith(". Acme. For ears") or "Acme. Loud" in found.texts[0]
    assert found.groups[0].startswith("Audio")
    np.testing.assert_array_equal(found.feedback.ratings.toarray(), [[5]])


def test_the_citation_is_that_of_the_release(tmp_path):
    release_2014(tmp_path)
    assert "He and McAuley" in electronics(tmp_path).source["citation"]


def test_last_out_splits_are_joined_and_unknown_files_named(tmp_path):
    shop(tmp_path, [("u", "B1", 5, 1)])
    for part, row in (("valid", "u,B2,4.0,2"), ("test", "u,B3,4.0,3")):
        lines(tmp_path / "5core" / f"Electronics.{part}.csv", [HEADER, row])
    lines(tmp_path / "notes.json", [{"unrelated": 1}])
    lines(tmp_path / ".cache" / "meta_Books.jsonl", [META])
    found = electronics(tmp_path)
    np.testing.assert_array_equal(found.feedback.users.toarray(), [[1, 1, 1]])
    assert found.source["not_read"] == ["notes.json"]


def test_rows_of_the_csv_that_do_not_fit_are_counted_by_reason(tmp_path):
    rows = [
        ("u", "B1", 5.0, 1), ("u", "B1", 2.0, 9), ("u", "B1", 4.0, 3), ("", "B1", 5.0, 1),
        ("v", " ", 5.0, 1), ("v", "B1", 6.0, 1), ("v", "B1", 0, 1), ("v", "B1", "nan", 1),
        ("v", "B1", "inf", 1), ("v", "B1", "good", 1), ("v", "B1", 5.0, "May"), ("v", "B1", 5.0),
        ("v", "B1", 5.0, 2**70), ("v", "B2", 5.0, 1), ("v", "B9", 5.0, 1),
    ]  # fmt: skip
    found = electronics(shop(tmp_path, rows))
    (told,) = found.source["ratings"]
    assert told["rows"] == len(rows)
    assert told["left_out"] == {
        "user_id is missing, empty or no text": 1,
        "parent_asin is missing, empty or no text": 1,
        "rating is not within 1 and 5": 4,
        "rating is no number": 1,
        "time is no whole number": 2,
        "not 4 columns": 1,
    }
    assert told["first_bad"]["user_id is missing, empty or no text"] == 5
    assert found.source["ratings_left_out"] == {
        "of an item without metadata or text": 1,
        "repeats user and item, the latest stays": 2,
    }
    # u's latest word on B1 is a 2, which is why u is no user any more.
    assert found.feedback.user_ids == ("v",)


def test_reviews_that_do_not_fit_are_counted_by_reason(tmp_path):
    changes = [
        {"rating": "5"}, {"rating": True}, {"rating": None}, {"rating": float("nan")},
        {"rating": 10**400}, {"user_id": 7}, {"parent_asin": None}, {"timestamp": None},
        {"timestamp": 1.5},
    ]  # fmt: skip
    lines(tmp_path / "meta.jsonl", [META])
    lines(tmp_path / "reviews.jsonl", [REVIEW, "{", "[]", *(REVIEW | change for change in changes)])
    (told,) = electronics(tmp_path).source["ratings"]
    assert told["left_out"] == {
        "no JSON": 1, "no JSON object": 1, "rating is no number": 3,
        "rating is not within 1 and 5": 2, "user_id is missing, empty or no text": 1,
        "parent_asin is missing, empty or no text": 1, "time is no whole number": 2,
    }  # fmt: skip


def test_metadata_that_does_not_fit_is_counted_by_reason(tmp_path):
    empty = {"title": " ", "store": None, "features": [], "description": ["<br/>"]}
    rows = [
        META, META | {"title": "Again"}, META | {"parent_asin": ""}, META | {"parent_asin": 5},
        META | {"parent_asin": "B2"} | empty, META | {"parent_asin": "B3", "title": 7}, "{", "3",
        META | {"parent_asin": "B4", "features": [["x"]]},
        META | {"parent_asin": "B5", "title": "var aPageStart = (new Date()).getTime();"},
    ]  # fmt: skip
    shop(tmp_path, [("u", "B1", 5, 1), ("u", "B2", 5, 1), ("v", "B2", 5, 1)])
    lines(tmp_path / "meta_Electronics.jsonl", rows)
    found = electronics(tmp_path)
    assert found.ids == ("B1",)
    assert found.texts[0].startswith("Headphones")
    (told,) = found.source["items"]
    assert told["left_out"] == {
        "repeats an earlier row": 1, "parent_asin is missing, empty or no text": 2,
        "item has no text": 1, "title is no text": 1, "features is no text": 1, "no JSON": 1,
        "no JSON object": 1, "title is a script of the page": 1,
    }  # fmt: skip
    assert found.source["ratings_left_out"]["of an item without metadata or text"] == 2


def test_literal_rows_are_parsed_and_never_run(tmp_path):
    mark = tmp_path / "ran"
    rows = [
        repr(META_2014), f"__import__('pathlib').Path({str(mark)!r}).touch()", "{[]: 1}", "('B2',)",
        "(" * 300, repr(META_2014 | {"asin": "B2", "description": "x" * MAX_LITERAL}),
    ]  # fmt: skip
    lines(tmp_path / "meta.json", rows)
    found = electronics(tmp_path)
    assert found.texts == ('Ann\'s "phones". Acme. For ears',)
    assert found.source["items"][0]["left_out"] == {
        "no Python literal": 3,
        "no Python dictionary": 1,
        f"longer than {MAX_LITERAL} characters": 1,
    }
    assert not mark.exists()


def test_a_limit_keeps_the_most_rated_and_ties_follow_the_hash(tmp_path):
    items = [f"B{i}" for i in range(20)]
    rows = [(f"u{j}", item, 5, 1) for i, item in enumerate(items) for j in range(i // 5)]
    shop(tmp_path, rows, items=items)
    for seed in (0, 1):
        found = electronics(tmp_path, limit=7, seed=seed)
        tied = sorted(items[10:15], key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).digest())
        assert found.ids == tuple(sorted([*items[15:], *tied[:2]], key=items.index))
        assert found.source["ratings_beyond_limit"] == len(rows) - 5 * 3 - 2 * 2
        assert f"seed {seed}" in found.source["rule"]
    assert electronics(tmp_path, limit=100).ids == tuple(items)


def test_folders_without_texts_or_with_two_releases_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no file of a known layout"):
        electronics(tmp_path)
    shop(tmp_path, [("u", "B1", 5, 1)])
    lines(tmp_path / "meta_old.json", [META_2018])
    with pytest.raises(ValueError, match=r"mixes layouts: .*metadata 2023.*metadata 2018"):
        electronics(tmp_path)
    (tmp_path / "meta_old.json").unlink()
    lines(tmp_path / "Electronics.csv", [HEADER, "u,X1,5,1", "u,X2,5,1"])
    with pytest.raises(ValueError, match=r"none of the 2 ratings .* of one release"):
        electronics(tmp_path)
    lines(tmp_path / "Electronics.csv", [HEADER, "u,B1,9,1"])
    with pytest.raises(ValueError, match=r"none of 1 rows fits: rating is not within 1 and 5 \(1"):
        electronics(tmp_path)
    (tmp_path / "Electronics.csv").unlink()
    lines(tmp_path / "meta_Electronics.jsonl", [META | {"parent_asin": ""}])
    with pytest.raises(ValueError, match="no row of the metadata fits"):
        electronics(tmp_path)
    (tmp_path / "full.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ValueError, match=r"full\.parquet is damaged"):
        electronics(tmp_path)
    with pytest.raises(ValueError, match="takes no packages"):
        electronics(tmp_path, packages=["json"])


def fashion(real: str) -> pd.DataFrame:
    path = Path(real) / "amazon_fashion_2018" / "AMAZON_FASHION_5.json.gz"
    return pd.read_json(path, lines=True)


def test_fashion_as_it_is_says_that_texts_are_missing(real):
    with pytest.raises(ValueError, match=r"AMAZON_FASHION_5.*no metadata.*get meta_<category>"):
        electronics(Path(real) / "amazon_fashion_2018")


def test_fashion_with_metadata_agrees_with_pandas(real, tmp_path):
    frame = fashion(real)
    names = sorted(frame["asin"].unique())
    lines(tmp_path / "meta.json", [META_2018 | {"asin": name} for name in names[:-3]])
    source = Path(real) / "amazon_fashion_2018" / "AMAZON_FASHION_5.json.gz"
    (tmp_path / source.name).write_bytes(source.read_bytes())
    found = electronics(tmp_path)
    described = frame[frame["asin"].isin(names[:-3])]
    last = described.sort_values("unixReviewTime", kind="stable").drop_duplicates(
        ["reviewerID", "asin"], keep="last"
    )
    table = last.pivot(index="reviewerID", columns="asin", values="overall")
    staying = table.index[(table >= 4).any(axis=1)]
    assert (len(frame), len(names)) == (2267, 26)
    assert set(found.feedback.user_ids) == set(staying)
    expected = table.loc[list(found.feedback.user_ids), list(found.ids)].fillna(0).to_numpy()
    np.testing.assert_array_equal(found.feedback.ratings.toarray(), expected)
    np.testing.assert_array_equal(found.feedback.users.toarray(), expected >= 4)
    assert found.source["ratings_left_out"] == {
        "of an item without metadata or text": len(frame) - len(described),
        "repeats user and item, the latest stays": len(described) - len(last),
    }
    few = electronics(tmp_path, limit=5)
    most = described["asin"].value_counts()
    assert sum(most[list(few.ids)]) == most.nlargest(5).sum()


def test_gift_cards_as_they_are(real):
    folder = Path(real) / "amazon_meta_2018_sample"
    rows = [json.loads(line) for line in (folder / "meta_Gift_Cards.json").open()]
    found = electronics(folder)
    assert found.ids == tuple(row["asin"] for row in rows)
    assert set(found.groups) == {"Gift Cards", "Gift Card Accessories"}
    for text, row in zip(found.texts, rows, strict=True):
        assert text.startswith(row["title"].split("&")[0].strip())
    assert found.feedback.users.shape == (0, 10)


def test_games_as_they_are_agree_with_their_test_rows(real):
    folder = Path(real) / "amazon_video_games_2018" / "Games-6k"
    items = pd.read_csv(folder / "Games-6k.item", sep="\t", dtype=str, quoting=3)
    rows = pd.read_csv(folder / "Games-6k.test.inter", sep="\t", dtype=str)
    found = load("amazon-games")
    assert found.ids == tuple(items["item_id:token"])
    assert len(found) == 16_859
    assert found.feedback.users.shape == (40_324, 16_859)
    assert found.feedback.user_ids == tuple(rows["user_id:token"])
    assert found.feedback.ratings.shape == (0, 0)
    histories = [{*before.split(), last} for _, before, last in rows.itertuples(index=False)]
    for user in range(0, len(rows), 97):
        names = {found.ids[i] for i in found.feedback.users[[user]].indices}
        assert names == histories[user]
    assert found.feedback.users.nnz == sum(map(len, histories))


def recbole(folder: Path, *rows: str) -> Path:
    lines(folder / "x.item", ["item_id:token\ttitle:token_seq", "0\tA game", "1\tAnother",
                              "1\tAgain", "2\t ", "\tNameless", "3"])  # fmt: skip
    header = "user_id:token\titem_id_list:token_seq\titem_id:token"
    lines(folder / "x.test.inter", [header, *rows])
    return folder


def test_histories_that_do_not_fit_are_counted(tmp_path):
    rows = ["u\t0 0\t1", "u\t7\t0", "\t0\t1", "v\t0", "w\t\t1", "v\t0\t"]
    found = load("amazon-games", path=recbole(tmp_path, *rows))
    assert (found.ids, found.texts) == (("0", "1"), ("A game", "Another"))
    assert found.feedback.user_ids == ("u", "w")
    np.testing.assert_array_equal(found.feedback.users.toarray(), [[1, 1], [0, 1]])
    assert found.source["items"][0]["left_out"] == {
        "repeats an earlier row": 1, "item has no text": 1, "not 2 columns": 1,
        "item_id:token is missing, empty or no text": 1,
    }  # fmt: skip
    assert found.source["ratings"][0]["left_out"] == {
        "user_id:token is missing, empty or no text": 1, "not 3 columns": 1,
        "item_id:token is missing, empty or no text": 1,
    }  # fmt: skip
    assert found.source["ratings_left_out"] == {"of an unknown item": 1}
    assert load("amazon-games", path=tmp_path, limit=1).ids == ("1",)


def test_histories_without_titles_or_columns_are_refused(tmp_path):
    recbole(tmp_path, "u\t0\t1")
    (tmp_path / "x.item").unlink()
    with pytest.raises(ValueError, match=r"no \*\.item"):
        load("amazon-games", path=tmp_path)
    lines(tmp_path / "x.item", ["item_id:token\tprice:float", "0\t3"])
    with pytest.raises(ValueError, match="expected the columns item_id:token, title:token_seq"):
        load("amazon-games", path=tmp_path)

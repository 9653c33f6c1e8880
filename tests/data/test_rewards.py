"""Usage rewards counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from crlib.data.rewards import label_rows, some_rewards, usage_rewards, user_rewards

CALLS = np.array(
    [
        # numpy.a numpy.b torch.c torch.d
        [1, 1, 0, 0],  # a file of numpy
        [1, 0, 0, 0],  # a file of numpy
        [1, 0, 1, 1],  # a file of torch
        [0, 0, 0, 1],  # a file of abc
    ]
)


def actions(calls: np.ndarray = CALLS, files: tuple[str, ...] = ("numpy", "numpy", "torch", "abc")):
    ids = tuple(f"file{i}" for i in range(len(files)))
    feedback = SimpleNamespace(users=sparse.csr_array(calls), user_groups=files, user_ids=ids)
    groups = ("numpy", "numpy", "torch", "torch")
    return SimpleNamespace(ids=("a", "b", "c", "d"), groups=groups, feedback=feedback)


def test_rewards_count_the_files_of_a_package() -> None:
    rewards, names = usage_rewards(actions(), 2)
    assert names == ("numpy", "torch")
    np.testing.assert_allclose(rewards, np.log(1 + np.array([[2, 1], [1, 0], [0, 1], [0, 1]])))


def test_every_package_counts_from_one_action_on() -> None:
    assert usage_rewards(actions(), 1)[1] == ("abc", "numpy", "torch")


def test_without_own_calls_only_what_is_taken_from_others_counts() -> None:
    rewards, names = usage_rewards(actions(), 1, own=False)
    assert names == ("abc", "torch")
    np.testing.assert_allclose(rewards, np.log(1 + np.array([[0, 1], [0, 0], [0, 0], [1, 0]])))


def test_a_file_counts_once_even_if_it_calls_twice() -> None:
    rewards, _ = usage_rewards(actions(CALLS * 3), 2)
    assert rewards.max() == pytest.approx(np.log(3))


def test_no_package_with_enough_actions_gives_no_function() -> None:
    rewards, names = usage_rewards(actions(), 50)
    assert rewards.shape == (4, 0)
    assert names == ()


def test_no_files_give_no_function() -> None:
    rewards, names = usage_rewards(actions(np.empty((0, 4)), ()), 1)
    assert rewards.shape == (4, 0)
    assert names == ()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="min_actions"):
        usage_rewards(actions(), 0)
    with pytest.raises(ValueError, match="expected 3 files x 4"):
        usage_rewards(actions(files=("a", "b", "c")), 1)


def test_a_user_s_reward_is_what_the_user_calls() -> None:
    rewards, names = user_rewards(actions(), 10, min_items=1, seed=3)
    assert sorted(names)[1:] == ["file2", "file3"]  # and one of the two files of numpy
    for column, name in enumerate(names):
        np.testing.assert_array_equal(rewards[:, column], CALLS[int(name[-1])])


def test_users_come_from_different_communities_and_call_enough() -> None:
    assert set(user_rewards(actions(), 10, min_items=2)[1]) == {"file0", "file2"}
    assert len(user_rewards(actions(), 2, min_items=1)[1]) == 2


def test_customers_of_one_shop_are_drawn_themselves() -> None:
    shop = actions(files=("shop",) * 4)
    assert sorted(user_rewards(shop, 10, min_items=1)[1]) == ["file0", "file1", "file2", "file3"]
    assert set(user_rewards(shop, 10, min_items=2)[1]) == {"file0", "file2"}
    assert len(user_rewards(shop, 3, min_items=1)[1]) == 3


def test_users_are_drawn_by_the_seed_alone() -> None:
    drawn = {user_rewards(actions(), 1, min_items=1, seed=s)[1] for s in range(40)}
    assert drawn == {("file0",), ("file1",), ("file2",), ("file3",)}
    assert user_rewards(actions(), 3, min_items=1, seed=5)[1] == user_rewards(
        actions(), 3, min_items=1, seed=5
    )[1]  # fmt: skip


def test_no_user_with_enough_actions_gives_no_function() -> None:
    rewards, names = user_rewards(actions(), 5, min_items=4)
    assert rewards.shape == (4, 0)
    assert names == ()


@pytest.mark.parametrize("options", [{"n_users": 0}, {"n_users": 1, "min_items": 0}])
def test_numbers_of_users_and_items_must_be_positive(options) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        user_rewards(actions(), **options)


def test_half_of_the_labels_are_of_actions_that_are_used() -> None:
    rewards = np.zeros(1000)
    rewards[:200] = np.arange(1, 201)
    rows = label_rows(rewards, 100, seed=1)
    assert len(set(rows.tolist())) == 100
    assert (np.diff(rows) > 0).all()
    # fifty of those used, and about a sixth of the fifty others, who are drawn from all the rest
    assert 50 <= (rows < 200).sum() < 70
    np.testing.assert_array_equal(rows, label_rows(rewards, 100, seed=1))
    assert (rows != label_rows(rewards, 100, seed=2)).any()


def test_few_used_actions_are_all_labelled() -> None:
    rewards = np.zeros(50)
    rewards[[3, 7]] = 2.0
    rows = label_rows(rewards, 20)
    assert {3, 7} <= set(rows.tolist())
    assert len(rows) == 20


@pytest.mark.parametrize("n_labels", [1, 51])
def test_numbers_of_labels_out_of_range_are_refused(n_labels) -> None:
    with pytest.raises(ValueError, match="n_labels"):
        label_rows(np.arange(50.0), n_labels)


def test_some_rewards_are_drawn_without_repeats_in_their_order():
    rewards = np.arange(40.0).reshape(4, 10)
    drawn = some_rewards(rewards, 3, seed=1)
    columns = drawn[0].astype(int).tolist()
    assert columns == sorted(set(columns))
    assert len(columns) == 3
    np.testing.assert_array_equal(drawn, rewards[:, columns])
    np.testing.assert_array_equal(some_rewards(rewards, 3, seed=1), drawn)
    np.testing.assert_array_equal(some_rewards(rewards, 11), rewards)
    assert some_rewards(rewards[:, :0], 3).shape == (4, 0)

"""Which embedding suits my actions and rewards: a ranking from a few labels, with its doubts."""

from crlib.ranking.advice import Advice
from crlib.ranking.rank import Ranking, rank_embeddings
from crlib.ranking.report import write_report
from crlib.ranking.tables import Actions, Rewards, read_actions, read_rewards

__all__ = [
    "Actions",
    "Advice",
    "Ranking",
    "Rewards",
    "rank_embeddings",
    "read_actions",
    "read_rewards",
    "write_report",
]

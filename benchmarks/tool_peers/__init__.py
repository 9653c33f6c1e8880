"""Steps a second of this project's actor-critic beside those of Stable-Baselines3's."""

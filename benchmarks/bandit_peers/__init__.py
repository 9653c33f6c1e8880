"""A round of this project's agent beside one of each library that a user could take instead."""

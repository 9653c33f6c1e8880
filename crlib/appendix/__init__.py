"""The book as the paper's appendix: a printed PDF (`printed`), and LaTeX (`latex`, `macros`)."""

"""A fleet's rows, and what came of a run, in five formats: a table, records, CSV, Markdown and a page.

Each format is a module with one function of the things to show and their `Sheet`: `ROWS` or `OUTCOMES` of `sheets`.
"""

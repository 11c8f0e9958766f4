"""Reports on a fleet's images and on a run, in five formats: table, JSON records, CSV, Markdown and HTML.

Each format is a module with one function. It takes the items to show and their `Sheet`, `ROWS` or `OUTCOMES`.
"""

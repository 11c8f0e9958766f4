"""The rendered files in `examples/`. `python -m tests.examples` writes them again."""

"""``python -m benchmarks``: everything, one after the other, and one table."""

from benchmarks.main import main

main()

"""What evo promises, measured: each module is a command, ``python -m benchmarks.X``."""

"""Evolve pipelines of small language models, and tell a good one from a lucky one."""

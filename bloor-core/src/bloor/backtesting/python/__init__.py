"""Strategies that are ordinary Python, under the same kernels as compiled ones."""

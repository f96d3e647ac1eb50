"""Kraken's compiled normalizer: kernels over the words of :mod:`bloor.native.memory`."""

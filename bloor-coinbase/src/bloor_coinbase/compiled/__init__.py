"""The compiled form of the normalizer: kernels over the words of :mod:`bloor.native.memory`."""

"""Binance's market data as compiled code: the kernels, one file for each idea, and what the plug-in hands over."""

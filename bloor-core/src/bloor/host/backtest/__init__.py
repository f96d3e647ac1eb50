"""A backtest from what the user asked to its result: data, models, strategies, and the document of it all."""

"""What Kraken's market-data frames say, one file for each kind of message."""

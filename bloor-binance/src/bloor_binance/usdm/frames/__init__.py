"""What the USD-M market-data frames say where they differ from spot, one file for each kind of message."""

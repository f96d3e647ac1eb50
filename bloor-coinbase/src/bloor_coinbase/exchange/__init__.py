"""What the feed of Coinbase Exchange (formerly Pro) says, one file for each kind of message."""

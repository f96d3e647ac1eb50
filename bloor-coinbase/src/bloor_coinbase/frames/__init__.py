"""What the channels of Coinbase Advanced Trade say, one file for each kind of message."""

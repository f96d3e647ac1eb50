"""The test kit for plug-in authors, and what our own tests share."""

"""What looks at a run: latency histograms, results, the session folder."""

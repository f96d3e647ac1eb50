"""What looks at a run: latency histograms, results, the session folder, statistics, the page of a result."""

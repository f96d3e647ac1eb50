"""The process: start-up wiring, clocks, sockets, the run loop."""

"""The decision core: state and one event at a time, to effects. The same in live, simulation, backtest and replay."""

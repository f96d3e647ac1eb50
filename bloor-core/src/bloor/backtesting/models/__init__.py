"""The models of a backtest: what recorded data cannot say, as plug-in points with sensible defaults.

* a **queue model** guesses how much is ahead of a resting order (:mod:`~bloor.backtesting.models.queue`),
* a **latency model** says how long requests and answers take (:mod:`~bloor.backtesting.models.latency`),
* a **fee model** says what fills cost (:mod:`~bloor.backtesting.models.fee`).

Each is an attrs class whose fields are its parameters; an instance is the model with its parameters. Plug-ins hand over
classes (``bloor_queue_model``, ``bloor_latency_model``, ``bloor_fee_model``), and
:mod:`~bloor.backtesting.models.naming` reads what a person writes.
"""

from __future__ import annotations

from bloor.backtesting.models.charges import FEE_MODELS, Flat, Tiers
from bloor.backtesting.models.fee import (
    DOLLARS,
    FEE_DECIMALS,
    FeeAsset,
    FeeEntries,
    FeeModel,
    FeeSchedule,
    FeeTier,
    fee_tiers,
)
from bloor.backtesting.models.latencies import LATENCY_MODELS, Constant, Lognormal, Table
from bloor.backtesting.models.latency import LatencyModel
from bloor.backtesting.models.measured import Measured, round_trips
from bloor.backtesting.models.naming import (
    parse_fees,
    parse_latency,
    parse_queue_model,
)
from bloor.backtesting.models.parameters import described, parameter
from bloor.backtesting.models.queue import QueueEntries, QueueModel
from bloor.backtesting.models.queues import (
    QUEUE_MODELS,
    Back,
    Fifo,
    Front,
    LogProb,
    LogProb2,
    PowerProb,
    PowerProb2,
    PowerProb3,
    RiskAverse,
)

__all__ = [
    "DOLLARS",
    "FEE_DECIMALS",
    "FEE_MODELS",
    "LATENCY_MODELS",
    "QUEUE_MODELS",
    "Back",
    "Constant",
    "FeeAsset",
    "FeeEntries",
    "FeeModel",
    "FeeSchedule",
    "FeeTier",
    "Fifo",
    "Flat",
    "Front",
    "LatencyModel",
    "LogProb",
    "LogProb2",
    "Lognormal",
    "Measured",
    "PowerProb",
    "PowerProb2",
    "PowerProb3",
    "QueueEntries",
    "QueueModel",
    "RiskAverse",
    "Table",
    "Tiers",
    "described",
    "fee_tiers",
    "parameter",
    "parse_fees",
    "parse_latency",
    "parse_queue_model",
    "round_trips",
]

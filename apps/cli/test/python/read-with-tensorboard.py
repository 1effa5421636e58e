"""Reads an event file as TensorBoard does."""

import json
import sys

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

scalars, histograms = {}, {}
for event in LegacyEventFileLoader(sys.argv[1]).Load():
    for value in event.summary.value:
        if value.HasField("simple_value"):
            scalars.setdefault(value.tag, []).append([event.step, value.simple_value])
        if value.HasField("histo"):
            h = value.histo
            histograms.setdefault(value.tag, []).append(
                {
                    "step": event.step,
                    "min": h.min,
                    "max": h.max,
                    "num": h.num,
                    "sum": h.sum,
                    "sumSquares": h.sum_squares,
                    "limits": list(h.bucket_limit),
                    "counts": list(h.bucket),
                }
            )

# What its dashboards go through.
accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
accumulator.Reload()
tags = accumulator.Tags()
shown = set(tags["scalars"]) | set(tags["tensors"]) | set(tags["histograms"])
assert shown == set(scalars) | set(histograms), shown
print(json.dumps({"scalars": scalars, "histograms": histograms}))

"""How every program measures, and what it prints."""

import json
import time

from memory import peak_bytes


class Clock:
    """Wall and CPU time of the measured work."""

    def __init__(self):
        self.milliseconds = []
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def time(self, work):
        start = time.perf_counter()
        result = work()
        self.milliseconds.append(1000 * (time.perf_counter() - start))
        return result

    def busy_cpus(self):
        return (time.process_time() - self._cpu) / (time.perf_counter() - self._wall)


def print_measurement(clock, model, start_bytes, **more):
    """start_bytes: peak_bytes() before the first work, also before that which is not measured."""
    import torch

    print(json.dumps({
        "engine": f"PyTorch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "milliseconds": clock.milliseconds,
        "busyCpus": clock.busy_cpus(),
        "startBytes": start_bytes,
        "peakBytes": peak_bytes(),
        **more,
    }))

"""A long training that can be stopped at any time and goes on later: what the recipes have in common.

The learning rate rises over the first updates, then falls along half a cosine and reaches 0 when the passes are done or the minutes are over, whichever comes
first; on a CPU its own minutes count, so that other programs on the machine change nothing. After each pass the state is saved. The weights that validate
best are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

GROWS = ("passes", "minutes")  # a later run may have more of them in mind


class Training:
    """A network in training, with all that going on needs.

    A recipe gives `losses(number)`, the loss of each update of a pass, computed when it is asked for, and `validate()`, measures of which the one that
    `judge` names is better when it is lower. settings: what two runs must have in common to be one, with lr, passes, minutes and seed.
    """

    judge = "validation"
    warm_up = 100  # updates

    def __init__(self, model: torch.nn.Module, file: Path, settings: dict[str, float], steps: int, device: str):
        self.model, self.file, self.settings, self.steps, self.device = model.to(device), file, settings, steps, device
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])
        self.limit, self.update = 60 * settings["minutes"], 0
        self.history: list[dict[str, object]] = []
        self.best: dict[str, torch.Tensor] = {}

    def losses(self, number: int) -> Iterable[Callable[[], torch.Tensor]]:
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        raise NotImplementedError

    def spent(self) -> float:
        """Seconds of training, in all runs together: of the processor on a CPU, of the clock on a GPU."""
        return sum(done["cpu_seconds" if self.device == "cpu" else "seconds"] for done in self.history)

    @property
    def finished(self) -> bool:
        return self.update >= self.steps or self.spent() >= self.limit

    def share(self, seconds: float) -> float:
        """The share of the learning rate: a straight line up, then half a cosine down to 0."""
        done = max(self.update / self.steps, seconds / self.limit)
        return min(1.0, (self.update + 1) / self.warm_up) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def go_on(self) -> None:
        """Load what an earlier run has saved. It may have had less in mind: the learning rate then rises again to where it stands for so much."""
        if not self.file.exists():
            return
        saved = torch.load(self.file, map_location=self.device, weights_only=True)
        free = dict.fromkeys(GROWS, 0)
        if saved["settings"] | free != self.settings | free:
            raise SystemExit(f"{self.file} is of a run with {saved['settings']}; move it away, or give these settings.")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history, self.update, self.best = saved["history"], saved["update"], saved["best"]

    def save(self) -> None:
        """Write all that going on needs, beside first and then into place."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_suffix(".part")
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "best": self.best}
        torch.save(state | {"history": self.history, "update": self.update, "settings": self.settings}, beside)
        beside.replace(self.file)

    def one_pass(self) -> None:
        """Read the training part once, or as much of it as there is time for; then validate."""
        number, losses = len(self.history), []
        torch.manual_seed(1_000 * self.settings["seed"] + number)  # dropout's, so that a run that was stopped goes on as if it had not been
        clock = time.process_time if self.device == "cpu" else time.perf_counter
        start, began, began_cpu = clock() - self.spent(), time.perf_counter(), time.process_time()
        self.model.train()
        for loss_of_update in self.losses(number):
            seconds = clock() - start
            if losses and seconds >= self.limit:
                break
            for group in self.optimizer.param_groups:
                group["lr"] = self.settings["lr"] * self.share(seconds)
            loss = loss_of_update()
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.update += 1
            losses.append(loss.item())
        done = {"training": float(np.mean(losses)), "updates": len(losses)}
        done |= {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - began_cpu, **self.validate()}
        if not self.history or done[self.judge] < min(earlier[self.judge] for earlier in self.history):
            self.best = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.history.append(done)

    def finish(self, told: Callable[[dict[str, object]], str]) -> None:
        """Go on where an earlier run was stopped, until passes or minutes are over; then take the best weights. What `told` makes of a pass is printed after it."""
        self.go_on()
        print(f"{self.settings['passes']} passes, {len(self.history)} of them done; on {self.device}", flush=True)
        while not self.finished:
            self.one_pass()
            self.save()
            last = self.history[-1]
            print(f"pass {len(self.history):2}: {told(last)}, {last['seconds']:.0f} s ({last['cpu_seconds']:.0f} CPU seconds)", flush=True)
        self.model.load_state_dict(self.best)

    def account(self) -> dict[str, object]:
        """What the training was and what it took, for the result."""
        return {
            "settings": self.settings, "device": self.device, "weights": sum(p.numel() for p in self.model.parameters()),
            "seconds": sum(h["seconds"] for h in self.history), "cpu_seconds": sum(h["cpu_seconds"] for h in self.history), "history": self.history,
        }  # fmt: skip

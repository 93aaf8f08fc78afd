"""Which models are in memory? Those used last, each once, whoever in this process draws with it."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.studio import registry

MOST_PIPELINES = 2  # kept in memory


class Loaded:
    """The models of a folder, loaded when they are asked for; threads may share it."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._pipelines: dict[tuple[str, str], Pipeline] = {}  # the one used last at the end
        self._lock = Lock()

    def get(self, name: str, identity: str) -> Pipeline:
        """The model `name` with the weights `identity`. Raises UserError where it has others by now, or none."""
        with self._lock:
            key = (name, registry.stamp_of(self._models / name))
            pipeline = self._pipelines.pop(key, None)
            if pipeline is None:
                while len(self._pipelines) >= MOST_PIPELINES:
                    del self._pipelines[next(iter(self._pipelines))]
                pipeline = Pipeline.from_pretrained(self._models / name)
            self._pipelines[key] = pipeline
        if pipeline.identity != identity:
            raise UserError(f"model {name} has changed since it was registered; register it again")
        return pipeline

"""The networks of one model: one for each trained scale, opened when a picture first needs it."""

import os
import threading

from pixelift.forks import ENGINES
from pixelift.infer.effort import Effort, open_network, scales_of
from pixelift.infer.network import Network
from pixelift.infer.route import Router


class Family:
    """A model by its name or file; may be asked from several threads."""

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        effort: Effort | None = None,
        ensemble: bool = False,
        engine: str,
        precision: str,
        threads: int | None,
    ) -> None:
        """Find a model; nothing is opened yet.

        Args:
            model: Name of a packaged network, or path of an .onnx file.
            effort: See `open_network`, as for the next.
            ensemble: See there.
            engine: As for `open_engine`, like the two that follow.
            precision: See there.
            threads: See there.

        Raises:
            UnknownNameError: There is no such model.
            WeightsError: The model's file is damaged.
        """
        self._model = model
        self._effort = effort
        self._ensemble = ensemble
        self._engine = engine
        self._precision = precision
        self._threads = threads
        self._lock = threading.Lock()
        self._networks: dict[int, Network | Router] = {}
        self.scales = scales_of(model, effort=effort)

    @property
    def loaded(self) -> int:
        """How many networks are open."""
        return len(self._networks)

    def network(self, scale: int) -> Network | Router:
        """Open the network of a scale, or hand out the one that is open.

        Args:
            scale: One of `scales`.

        Returns:
            The network.

        Raises:
            PixeliftError: See `Upscaler`.
        """
        ENGINES.use()
        with self._lock:
            if scale not in self._networks:
                self._networks[scale] = self._open(scale)
            return self._networks[scale]

    def _open(self, scale: int) -> Network | Router:
        return open_network(
            self._model,
            scale=scale,
            effort=self._effort,
            ensemble=self._ensemble,
            provider=self._engine,
            precision=self._precision,
            threads=self._threads,
        )

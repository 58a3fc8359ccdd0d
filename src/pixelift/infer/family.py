"""The networks of one model: one for each trained scale, opened when a picture first needs it."""

import os
import threading

from pixelift.infer.engine import Engine, open_engine
from pixelift.infer.network import Network
from pixelift.zoo.store import find_model, find_scales


class Family:
    """A model by its name or file; may be asked from several threads."""

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        engine: str,
        precision: str,
        threads: int | None,
    ) -> None:
        """Find a model; nothing is opened yet.

        Args:
            model: Name of a packaged network, or path of an .onnx file.
            engine: As for `open_engine`, like the two that follow.
            precision: See there.
            threads: See there.

        Raises:
            UnknownNameError: There is no such model.
            WeightsError: The model's file is damaged.
        """
        self._model = model
        self._engine = engine
        self._precision = precision
        self._threads = threads
        self._lock = threading.Lock()
        self._networks: dict[int, Network] = {}
        self.scales = find_scales(model)

    def network(self, scale: int) -> Network:
        """Open the network of a scale, or hand out the one that is open.

        Args:
            scale: One of `scales`.

        Returns:
            The network.

        Raises:
            PixeliftError: See `Upscaler`.
        """
        with self._lock:
            if scale not in self._networks:
                self._networks[scale] = Network(self._open(scale))
            return self._networks[scale]

    def _open(self, scale: int) -> Engine:
        card, path = find_model(self._model, scale=scale)
        return open_engine(
            card,
            path,
            provider=self._engine,
            precision=self._precision,
            threads=self._threads,
        )

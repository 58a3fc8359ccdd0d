"""An upscaler that looks at each picture and takes the network that fits what became of it."""

from pixelift.image.picture import Picture
from pixelift.infer.upscaler import DEFAULT_MODEL, Upscaler
from pixelift.patches.condition import judge
from pixelift.zoo.card import Card
from pixelift.zoo.store import list_models

AUTO = "auto"
"""What to call it on the command line, in place of a model."""

PHOTO_MODEL = "photo"
"""The network for pictures that are noisy, compressed or blurred."""


class AutoUpscaler:
    """Takes the clean network or the photo network, picture by picture."""

    def __init__(
        self,
        *,
        scale: int | None = None,
        engine: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        threads: int | None = None,
    ) -> None:
        """Load the clean network; the photo network is loaded when a picture needs it.

        Args:
            scale: HR pixels per LR pixel; None takes 4.
            engine: See `Upscaler`, as for all that follow.
            precision: See there.
            tile: See there.
            threads: See there.

        Raises:
            PixeliftError: See `Upscaler`.
        """
        self._engine, self._precision = engine, precision
        self._tile, self._threads = tile, threads
        self._clean = self._open(DEFAULT_MODEL, scale)
        self._photo: Upscaler | None = None
        self._has_photo = any(
            card.name == PHOTO_MODEL and card.scale == self._clean.scale for card in list_models()
        )
        self._last = self._clean
        self.why = ""
        """Why the last picture got the network that it got, in a few words."""

    @property
    def card(self) -> Card:
        """The card of the network that the last picture got."""
        return self._last.card

    @property
    def scale(self) -> int:
        """HR pixels per LR pixel along each axis."""
        return self._clean.scale

    def picture(self, picture: Picture) -> Picture:
        """Enlarge a picture with the network that fits it.

        Args:
            picture: The picture; not changed.

        Returns:
            The enlarged picture.

        Raises:
            PixeliftError: See `Upscaler.picture`, and `Upscaler` for the photo network.
        """
        self._last = self._choose(picture)
        return self._last.picture(picture)

    def _choose(self, picture: Picture) -> Upscaler:
        if not self._has_photo:
            self.why = f"there is no {PHOTO_MODEL} model for x{self.scale}"
            return self._clean
        condition = judge(picture.pixels)
        self.why = condition.reason
        if not condition.is_degraded:
            return self._clean
        if self._photo is None:
            self._photo = self._open(PHOTO_MODEL, self.scale)
        return self._photo

    def _open(self, model: str, scale: int | None) -> Upscaler:
        return Upscaler(
            model,
            scale=scale,
            engine=self._engine,
            precision=self._precision,
            tile=self._tile,
            threads=self._threads,
        )

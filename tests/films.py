"""Small films that tests make for themselves."""

from fractions import Fraction

import av
import numpy as np

RATE = 10
BT2020, PQ = 9, 16


def drawn(number, *, height=48, width=64):
    """A smooth picture that moves on by a pixel with each number: (H, W, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    light = 128 + 50 * np.sin((x + number) / 6) + 40 * np.cos((y - number) / 7)
    tint = 20 * np.sin(x / 20) * np.cos(y / 20)  # slow: films have colour at half the size
    return np.stack([light + tint, light, light - tint], axis=-1).round().astype(np.uint8)


def make_film(  # noqa: PLR0913 - each is something that films differ in
    path,
    pictures,
    *,
    codec="libx264",
    pix_fmt="yuv420p",
    rate=RATE,
    times=None,
    colour=None,
    sound=0.0,
    subtitle=None,
    chapters=None,
    rotation=0,
    aspect=None,
    metadata=None,
    gop=5,
    format=None,
):
    """Encode pictures, nearly without loss; `times` are in ticks of 1/1000 s."""
    options = {"crf": "4"} if codec in ("libx264", "libx265") else {}
    if codec == "libx265":
        options["x265-params"] = "log-level=error"
    with av.open(str(path), "w", format) as film:
        film.metadata.update(metadata or {})
        video = film.add_stream(codec, rate=rate, options=options)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.gop_size = gop
        tick = Fraction(1, 1000) if times else Fraction(1, rate)
        video.codec_context.time_base = tick
        if colour:
            video.codec_context.colorspace = colour
        if colour == BT2020:  # HDR, with the transfer curve PQ
            video.codec_context.color_primaries, video.codec_context.color_trc = BT2020, PQ
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        film.set_chapters(chapters or [])
        if rotation:
            video.set_display_rotation(rotation)
        audio = film.add_stream("aac", rate=8000, layout="mono") if sound else None
        words = film.add_mux_stream("subrip") if subtitle else None
        for number, picture in enumerate(pictures):
            kind = "rgb24" if picture.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(picture, format=kind)
            frame = frame.reformat(format=pix_fmt, dst_colorspace=colour or 5)
            frame.pts, frame.time_base = (times[number] if times else number), tick
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
        if audio:
            _add_sound(film, audio, sound)
        if words:
            packet = av.Packet(subtitle.encode())
            packet.stream, packet.time_base = words, Fraction(1, 1000)
            packet.pts = packet.dts = 0
            packet.duration = 500
            film.mux(packet)
    return path


def _add_sound(film, audio, seconds):
    for start in range(0, int(8000 * seconds), 1024):
        tone = np.sin(np.arange(start, start + 1024) / 5).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(0.3 * tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
        film.mux(audio.encode(frame))
    film.mux(audio.encode(None))


def read_film(path):
    """Decode a film: the times of its pictures in seconds, and (N, H, W, 3) uint8."""
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
        matrix = {1: 1, 9: 9}.get(film.streams.video[0].codec_context.colorspace, 5)
    times = [float(frame.pts * frame.time_base) for frame in frames]
    rgb = [f.reformat(format="rgb24", src_colorspace=matrix).to_ndarray() for f in frames]
    return times, np.stack(rgb)


def packets(path, kind):
    """What a film holds of one kind, as times in seconds and bytes."""
    with av.open(str(path)) as film:
        streams = [stream for stream in film.streams if stream.type == kind]
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in (film.demux(*streams) if streams else ())
            if packet.size
        ]

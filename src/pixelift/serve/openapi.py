"""The description of the HTTP interface for programs: OpenAPI 3.1, with examples."""

from typing import Any

import msgspec

from pixelift.infer.auto import AUTO
from pixelift.infer.target import MAX_FACTOR, MAX_MEGAPIXELS, MAX_SIDE
from pixelift.infer.upscaler import DEFAULT_MODEL
from pixelift.serve.desk import JobBody
from pixelift.serve.fields import FORMAT_NAMES, FORMATS, Offers
from pixelift.serve.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX, ProblemBody
from pixelift.zoo.store import DEFAULT_SCALE

Json = dict[str, Any]

REFERENCES = "#/components/schemas/{name}"

JOB_ID = "kU1mZtqB2Zb0cYwGJ7m3Xw"

REFUSALS = (401, 421)
"""What every route that wants a token may answer."""

FORM_REFUSALS = (400, 403, 408, 413, 415, 422, 429, 500, 503)
"""What every route that takes a form may answer."""


class ModelBody(msgspec.Struct, kw_only=True):
    """A model at one of its scales."""

    name: str
    scale: int
    channels: str
    parameters: int
    licence: str
    psnr_y: dict[str, float]
    """PSNR-Y in decibels on the sets that papers report."""


class ModelsBody(msgspec.Struct, kw_only=True):
    """All models."""

    models: list[ModelBody]


class HealthBody(msgspec.Struct, kw_only=True):
    """Whether pictures can be taken."""

    status: str
    version: str
    workers: int
    busy: int
    waiting: int


def openapi(offers: Offers, *, version: str) -> Json:
    """Describe the interface.

    Args:
        offers: The models and their scales.
        version: Of the package.

    Returns:
        The document.
    """
    bodies, schemas = msgspec.json.schema_components(
        [JobBody, ModelsBody, HealthBody, ProblemBody], ref_template=REFERENCES
    )
    job, models, health, _ = bodies
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pixelift",
            "version": version,
            "description": "Super-resolution of pictures. Errors are RFC 9457 problem details.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/v1/upscale": {"post": _upscale()},
            "/v1/models": {"get": _get("models", "What models there are.", models, _MODELS)},
            "/v1/jobs": {"post": _submit(job)},
            "/v1/jobs/{id}": {
                "parameters": [_id()],
                "get": _get("job", "How a job is getting on.", job, _JOB, refusals=(404,)),
                "delete": _operation(
                    "cancel",
                    "Give a job up and forget it.",
                    {"204": {"description": "It is forgotten."}},
                    refusals=(403, 404, *REFUSALS),
                ),
            },
            "/v1/jobs/{id}/result": {
                "parameters": [_id()],
                "get": _operation(
                    "result",
                    "The larger picture that a job made.",
                    {"200": _picture()},
                    refusals=(404, 409, 413, 422, 500, 503, 504, *REFUSALS),
                ),
            },
            "/health": {
                "get": _operation(
                    "health",
                    "Whether pictures can be taken.",
                    {
                        "200": _json("They can.", health, _HEALTH),
                        "503": _json("No worker is ready.", health, None),
                    },
                    refusals=(421,),
                )
                | {"security": []},
            },
            "/metrics": {
                "get": _operation(
                    "metrics",
                    "Numbers for Prometheus.",
                    {
                        "200": {
                            "description": "The text format.",
                            "content": {"text/plain": {"schema": {"type": "string"}}},
                        }
                    },
                    refusals=REFUSALS,
                )
            },
        },
        "components": {
            "schemas": {**schemas, "Form": _form(offers)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _upscale() -> Json:
    return _operation(
        "upscale",
        "Enlarge a picture and wait for it.",
        {"200": _picture()},
        refusals=(409, 504, *FORM_REFUSALS, *REFUSALS),
    ) | {"requestBody": _body()}


def _submit(job: Json) -> Json:
    taken = _json("It is taken. Ask for it at least once a minute.", job, _JOB) | {
        "headers": {"Location": {"description": "The job.", "schema": {"type": "string"}}}
    }
    return _operation(
        "submit",
        "Submit a picture, to be asked about and fetched later.",
        {"202": taken},
        refusals=(*FORM_REFUSALS, *REFUSALS),
    ) | {"requestBody": _body()}


def _get(name: str, summary: str, body: Json, example: Json, *, refusals: Any = ()) -> Json:  # noqa: ANN401
    answers = {"200": _json(summary, body, example)}
    return _operation(name, summary, answers, refusals=(*refusals, *REFUSALS))


def _operation(name: str, summary: str, answers: Json, *, refusals: tuple[int, ...]) -> Json:
    refused = {str(status): _problem(status) for status in sorted(refusals)}
    return {"operationId": name, "summary": summary, "responses": {**answers, **refused}}


def _problem(status: int) -> Json:
    kinds = {name: kind for name, kind in KINDS.items() if kind.status == status}
    answer: Json = {
        "description": " Or: ".join(f"{kind.title}." for kind in kinds.values()),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": REFERENCES.format(name="ProblemBody")},
                "examples": {
                    name: {
                        "value": {
                            "type": TYPE_PREFIX + name,
                            "title": kind.title,
                            "status": status,
                            "detail": "What was given, what is allowed, and what to do.",
                        }
                    }
                    for name, kind in kinds.items()
                },
            }
        },
    }
    if status in (429, 503):
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds after which another try makes sense.",
                "schema": {"type": "integer"},
            }
        }
    return answer


def _json(description: str, schema: Json, example: Json | None) -> Json:
    content: Json = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {"application/json": content}}


def _picture() -> Json:
    kinds: Json = {f"image/{name}": {"schema": {}} for name in FORMATS}
    return {"description": "The larger picture.", "content": kinds}


def _body() -> Json:
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"$ref": REFERENCES.format(name="Form")},
                "encoding": {"file": {"contentType": "image/*"}},
            }
        },
    }


def _form(offers: Offers) -> Json:
    keys = [
        f"{name}_x{scale}" for name, scales in offers.items() if name != AUTO for scale in scales
    ]
    return {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "description": "The picture's file. Its format is told by its content.",
            },
            "scale": {
                "anyOf": [
                    {"type": "number", "minimum": 1, "maximum": MAX_FACTOR},
                    {"type": "string", "pattern": r"^[xX]?[0-9]{1,2}(\.[0-9]{1,4})?$"},
                ],
                "description": "Pixels of the result for a pixel, along each axis: 4, 2.5 or x2. "
                "Without this and the next three the largest trained scale up to "
                f"{DEFAULT_SCALE}.",
                "example": 2,
            },
            "width": _side("Width"),
            "height": _side("Height"),
            "megapixels": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": MAX_MEGAPIXELS,
                "description": "Millions of pixels of the result, in the place of a scale.",
                "example": 24,
            },
            "model": {
                "enum": [*offers, *keys],
                "default": AUTO,
                "description": "auto looks at the picture: clean ones go to balanced, all others "
                "to photo.",
                "example": AUTO,
            },
            "consistent": {
                "type": "boolean",
                "description": "Change the result as little as can be, so that it can be "
                "downscaled to the picture again; photo and vivid so in the mean of small areas. "
                "Without it so for vivid alone.",
                "example": True,
            },
            "format": {
                "enum": list(FORMAT_NAMES),
                "description": "Format of the result; without it that of the picture, or PNG.",
                "example": "png",
            },
            "quality": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "description": "For formats that lose something.",
                "example": 90,
            },
        },
    }


def _side(name: str) -> Json:
    return {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_SIDE,
        "description": f"{name} of the result in pixels, in the place of a scale; the other side "
        "follows, or is given too and the picture stretched.",
        "example": 640,
    }


def _id() -> Json:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
        "example": JOB_ID,
    }


_JOB: Json = {
    "id": JOB_ID,
    "state": "running",
    "progress": 0.42,
    "place": 0,
    "model": AUTO,
    "scale": 4,
    "seconds": 0.0,
}
_MODELS: Json = {
    "models": [
        {
            "name": DEFAULT_MODEL,
            "scale": 4,
            "channels": "rgb",
            "parameters": 70000,
            "licence": "MIT",
            "psnr_y": {"Set5": 31.1},
        }
    ]
}
_HEALTH: Json = {"status": "ok", "version": "0.1.0", "workers": 2, "busy": 0, "waiting": 0}

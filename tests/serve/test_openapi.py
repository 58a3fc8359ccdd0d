import json
import os
import re
import subprocess
import sys

import httpx
import jsonschema
import pytest

from pixelift.serve.fields import order_of
from pixelift.serve.form import FIELDS, Form
from pixelift.serve.limits import ByteBudget, Limits
from pixelift.serve.openapi import openapi
from tests.patience import PATIENCE
from tests.serving import picture

OFFERS = {"balanced": [2, 3, 4]}
DOCUMENT = openapi(OFFERS, version="1.0")


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield path, method, operation


def test_every_operation_says_what_it_answers_and_shows_examples():
    for path, _, operation in operations():
        assert operation["summary"].endswith(".")
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, status)
            for content in answer.get("content", {}).values():
                if status >= "400" and "json" in str(content):
                    assert content.get("examples") or path == "/health"


def test_what_may_be_asked_for_is_what_there_is():
    form = DOCUMENT["components"]["schemas"]["Form"]
    known = ["balanced", *(f"balanced_x{scale}" for scale in (2, 3, 4))]
    assert form["properties"]["model"]["enum"] == known
    assert set(form["properties"]) == {"file", *FIELDS}
    for name, shown in form["properties"].items():
        if name != "file":
            fields = {name: str(shown["example"])}
            sent = Form(bytearray(picture()), "a.png", ByteBudget(1).take(1), fields)
            order_of(sent, offers={"auto": [2], **OFFERS}, limits=Limits())
    assert form["required"] == ["file"]


def test_every_reference_leads_somewhere():
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)):
        assert name in DOCUMENT["components"]["schemas"]


def test_examples_are_what_their_schemas_allow():
    count = 0
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                shown = [e["value"] for e in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                for example in shown:
                    schema = content["schema"] | {"components": DOCUMENT["components"]}
                    jsonschema.Draft202012Validator(schema).validate(example)
                    count += 1
    assert count > 20


def test_the_service_answers_as_it_says(service_url):
    document = httpx.get(f"{service_url}/openapi.json").json()
    assert document["paths"].keys() == DOCUMENT["paths"].keys()
    with httpx.Client(base_url=service_url, timeout=PATIENCE) as client:
        answers = {
            ("/health", "get"): client.get("/health"),
            ("/v1/models", "get"): client.get("/v1/models"),
            ("/v1/jobs", "post"): client.post("/v1/jobs", files={"file": picture()}),
            ("/v1/upscale", "post"): client.post("/v1/upscale", files={"file": b"no"}),
        }
    for (path, method), answer in answers.items():
        told = document["paths"][path][method]["responses"][str(answer.status_code)]
        schema = told["content"][answer.headers["content-type"]]["schema"]
        validator = jsonschema.Draft202012Validator(schema | {"components": document["components"]})
        validator.validate(answer.json())


@pytest.mark.slow
def test_requests_made_up_from_the_description_find_no_fault(service_url, tmp_path):
    pytest.importorskip("schemathesis")
    # A picture made up at random is none, hence no check that what fits the schema is taken.
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{service_url}/openapi.json"),
        *("--max-examples", "8", "--seed", "1", "--workers", "1", "--no-color"),
        *("--exclude-checks", "positive_data_acceptance", "--generation-database", "none"),
        *("--request-timeout", str(PATIENCE), "--phases", "examples,coverage,fuzzing"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

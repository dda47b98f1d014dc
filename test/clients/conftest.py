"""The server under test, and what our own route says about the same inputs."""

import base64
import json
import math
import os
import urllib.request
from pathlib import Path

import pytest

fixtures = Path(__file__).parents[2] / "fixtures"


def media(name: str) -> bytes:
    return (fixtures / name).read_bytes()


def data_uri(name: str, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(media(name)).decode()}"


def cosine(a, b) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


@pytest.fixture
def url() -> str:
    return os.environ["CROSSMODAL_URL"]


@pytest.fixture
def is_own(url):
    """Whether an embedding is the one that our own route gives for the input."""

    def check(embedding, text: str, model: str = "starter-clip", tolerance: float = 1e-5) -> bool:
        body = json.dumps({"model": model, "input": text}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{url}/v1/embeddings", body, headers)
        with urllib.request.urlopen(request) as answer:
            own = json.load(answer)["data"][0]["embedding"]
        return cosine(embedding, own) > 1 - tolerance

    return check

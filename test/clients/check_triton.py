import numpy as np
import pytest
from conftest import data_uri, media
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException


@pytest.fixture
def client(url):
    client = InferenceServerClient(url.removeprefix("http://"))
    yield client
    client.close()


@pytest.mark.parametrize("binary", [True, False])
def test_infers_in_both_encodings(client, is_own, binary):
    tensor = InferInput("text", [2], "BYTES")
    tensor.set_data_from_numpy(np.array(["a cat", "a dog"], dtype=object), binary_data=binary)
    outputs = [InferRequestedOutput("embedding", binary_data=binary)]
    answer = client.infer("starter-clip", [tensor], outputs=outputs)
    assert is_own(answer.as_numpy("embedding")[1].tolist(), "a dog")


def test_infers_files(client, is_own):
    tensor = InferInput("audio", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([media("audio/dog.mp3")], dtype=object))
    answer = client.infer("starter-clap", [tensor])
    dog = data_uri("audio/dog.mp3", "audio/mpeg")
    assert is_own(answer.as_numpy("embedding")[0].tolist(), dog, "starter-clap")


def test_asks_about_the_server_and_its_models(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("starter-clip")
    assert client.get_server_metadata()["name"] == "crossmodal"
    assert client.get_model_metadata("starter-clip")["outputs"][0]["name"] == "embedding"
    assert {"starter-clip", "starter-clap"} <= {
        model["name"] for model in client.get_model_repository_index()
    }
    assert client.get_model_config("starter-clip")["output"][0]["data_type"] == "TYPE_FP32"
    names = [model["name"] for model in client.get_inference_statistics()["model_stats"]]
    assert names == ["starter-clip", "starter-clap"]
    assert len(client.get_inference_statistics("starter-clap")["model_stats"]) == 1


def test_loads_what_is_loaded_and_nothing_else(client):
    client.load_model("starter-clip")
    with pytest.raises(InferenceServerException, match="none"):
        client.load_model("none")
    with pytest.raises(InferenceServerException, match="config"):
        client.load_model("starter-clip", config="{}")
    with pytest.raises(InferenceServerException, match="option models"):
        client.unload_model("starter-clip")


def test_raises_its_own_error(client):
    tensor = InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array(["a cat"], dtype=object))
    with pytest.raises(InferenceServerException):
        client.infer("none", [tensor])

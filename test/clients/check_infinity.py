import io

import pytest
import requests
from conftest import cosine, data_uri, media
from infinity_client import Client
from infinity_client.api.default import embeddings, health, models, rerank
from infinity_client.models import OpenAIEmbeddingInputAudio, RerankInput
from infinity_client.models import OpenAIEmbeddingInputAudioModality as Audio
from infinity_client.vision_client import InfinityVisionAPI
from langchain_community.embeddings import InfinityEmbeddings
from PIL import Image


def test_the_generated_client_reads_every_answer(url, is_own):
    client = Client(base_url=url)
    dog = data_uri("audio/dog.mp3", "audio/mpeg")
    body = OpenAIEmbeddingInputAudio(input_=dog, model="starter-clap", modality=Audio.AUDIO)
    answer = embeddings.sync(client=client, body=body)
    assert is_own(answer.data[0].embedding, dog, "starter-clap")
    documents = ["a rocket", "a sleeping cat"]
    ranked = rerank.sync(client=client, body=RerankInput(query="a cat", documents=documents))
    assert ranked.results[0].index == 1
    assert {model.id for model in models.sync(client=client).data} >= {"starter-clip"}
    assert health.sync(client=client)["unix"] > 0


def test_the_vision_client_embeds_texts_and_pictures(url, is_own):
    client = InfinityVisionAPI(url, model="starter-clip")
    [text], _ = client.embed("starter-clip", ["a cat"]).result()
    assert is_own(text[0].tolist(), "a cat")
    picture = Image.open(io.BytesIO(media("images/cat.jpg")))
    [found], _ = client.image_embed("starter-clip", [picture]).result()
    # It encodes the picture as JPEG once more
    cat = data_uri("images/cat.jpg", "image/jpeg")
    assert is_own(found[0].tolist(), cat, tolerance=0.02)
    with pytest.raises(requests.HTTPError):
        client.embed("none", ["a cat"]).result()


def test_langchain_embeds_texts(url, is_own):
    client = InfinityEmbeddings(infinity_api_url=url, model="starter-clip")
    query = client.embed_query("a cat")
    assert is_own(query, "a cat")
    [document] = client.embed_documents(["a cat"])
    assert cosine(query, document) > 0.99999

import pytest
from conftest import data_uri, fixtures
from llama_index.embeddings.jinaai import JinaEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference


def jina(url, model):
    client = JinaEmbedding(api_key="none", model=model)
    client._api.api_url = f"{url}/v1/embeddings"  # it has no option for it
    return client


def test_jina_embeds_texts_and_pictures(url, is_own):
    client = jina(url, "jina-clip-v1")  # the name that it allows pictures for: an alias
    assert is_own(client.get_text_embedding("a cat"), "a cat")
    cat = client.get_image_embedding(str(fixtures / "images" / "cat.jpg"))
    assert is_own(cat, data_uri("images/cat.jpg", "image/jpeg"))
    with pytest.raises(RuntimeError, match="none"):
        jina(url, "none").get_text_embedding("a cat")


def test_text_embeddings_inference_embeds_texts(url, is_own):
    client = TextEmbeddingsInference(model_name="starter-clip", base_url=url)
    assert is_own(client.get_text_embedding("a cat"), "a cat")

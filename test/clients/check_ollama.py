import ollama
import pytest


def test_embeds_texts(url, is_own):
    client = ollama.Client(host=url)
    answer = client.embed(model="starter-clip", input=["a cat", "a dog"])
    assert is_own(answer.embeddings[1], "a dog")


def test_raises_its_own_error(url):
    with pytest.raises(ollama.ResponseError, match="none"):
        ollama.Client(host=url).embed(model="none", input="a cat")

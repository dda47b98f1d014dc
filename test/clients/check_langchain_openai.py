import openai
import pytest
from langchain_openai import OpenAIEmbeddings


def embeddings(url, **options):
    return OpenAIEmbeddings(
        base_url=f"{url}/v1", api_key="none", model="starter-clip", max_retries=0, **options
    )


def test_embeds_texts(url, is_own):
    client = embeddings(url, check_embedding_ctx_length=False)
    assert is_own(client.embed_query("a cat"), "a cat")
    assert is_own(client.embed_documents(["a cat", "a dog"])[1], "a dog")


def test_raises_its_own_error(url):
    client = embeddings(url, check_embedding_ctx_length=False, dimensions=7)
    with pytest.raises(openai.BadRequestError, match="384"):
        client.embed_query("a cat")

import cohere
import pytest
from conftest import cosine, data_uri


def test_embeds_texts_and_pictures_in_every_type(url, is_own):
    client = cohere.ClientV2(api_key="none", base_url=url)
    types = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    answer = client.embed(
        model="starter-clip",
        input_type="search_query",
        texts=["a cat"],
        embedding_types=types,
    )
    [floats] = answer.embeddings.float_
    assert is_own(floats, "a cat")
    assert cosine(answer.embeddings.int8[0], floats) > 0.999
    assert len(answer.embeddings.ubinary[0]) == len(floats) / 8
    cat = data_uri("images/cat.jpg", "image/jpeg")
    pictures = client.embed(
        model="starter-clip", input_type="image", images=[cat], embedding_types=["float"]
    )
    assert is_own(pictures.embeddings.float_[0], cat)
    assert (pictures.images[0].width, pictures.images[0].height) > (0, 0)


def test_raises_its_own_errors(url):
    client = cohere.ClientV2(api_key="none", base_url=url)
    with pytest.raises(cohere.NotFoundError):
        client.embed(model="none", input_type="search_query", texts=["a cat"])
    with pytest.raises(cohere.BadRequestError):
        client.embed(model="starter-clip", input_type="search_query", texts=[])

import io

import pytest
import voyageai
from conftest import data_uri, media
from PIL import Image


def test_embeds_texts_and_pictures(url, is_own):
    client = voyageai.Client(api_key="none", base_url=f"{url}/v1", max_retries=0)
    picture = Image.open(io.BytesIO(media("images/cat.jpg")))
    answer = client.multimodal_embed([["a cat"], [picture]], model="starter-clip")
    assert is_own(answer.embeddings[0], "a cat")
    # It encodes the picture as WebP, with loss
    cat = data_uri("images/cat.jpg", "image/jpeg")
    assert is_own(answer.embeddings[1], cat, tolerance=0.02)


def test_raises_its_own_error(url):
    client = voyageai.Client(api_key="none", base_url=f"{url}/v1", max_retries=0)
    with pytest.raises(voyageai.error.InvalidRequestError):
        client.multimodal_embed([["a cat"]], model="none")

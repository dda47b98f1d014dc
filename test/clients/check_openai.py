import openai
import pytest
from conftest import data_uri


def test_embeds_texts_pictures_and_sounds(url, is_own):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    create = client.embeddings.create
    texts = create(model="starter-clip", input=["a cat", "a dog"])
    assert is_own(texts.data[1].embedding, "a dog")
    cat = data_uri("images/cat.jpg", "image/jpeg")
    picture = create(model="starter-clip", input=cat, encoding_format="float")
    assert is_own(picture.data[0].embedding, cat)
    dog = data_uri("audio/dog.mp3", "audio/mpeg")
    sound = create(model="starter-clap", input=dog)
    assert is_own(sound.data[0].embedding, dog, "starter-clap")
    assert {model.id for model in client.models.list()} >= {"starter-clip", "starter-clap"}


def test_raises_its_own_errors(url):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.BadRequestError, match="token ids"):
        client.embeddings.create(model="starter-clip", input=[1, 2])
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="none", input="a cat")

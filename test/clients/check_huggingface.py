import pytest
from conftest import media
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def test_classifies_pictures_texts_and_sounds(url):
    client = InferenceClient(f"{url}/hf/starter-clip")
    cat = media("images/cat.jpg")
    pictures = client.zero_shot_image_classification(cat, candidate_labels=["rocket", "cat"])
    assert pictures[0].label == "cat"
    labels = ["space", "animals"]
    texts = client.zero_shot_classification("a rocket in orbit", candidate_labels=labels)
    assert texts[0].label == "space"
    sounds = InferenceClient(f"{url}/hf/starter-clap?candidate_labels=rain,dog%20barking")
    assert sounds.audio_classification(media("audio/dog.mp3"))[0].label == "dog barking"
    assert len(sounds.audio_classification(media("audio/dog.mp3"), top_k=1)) == 1


def test_embeds_texts(url, is_own):
    client = InferenceClient(f"{url}/hf/starter-clip")
    assert is_own(client.feature_extraction("a cat")[0], "a cat")


def test_raises_its_own_error(url):
    client = InferenceClient(f"{url}/hf/none")
    with pytest.raises(HfHubHTTPError):
        client.feature_extraction("a cat")

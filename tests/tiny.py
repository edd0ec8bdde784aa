"""A whole sentence-transformers encoder of 32 dimensions, small enough to build, break and convert in a test."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from tests.models.samples import EVERY_MESSAGE

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
PROMPTS = {"query": "query: ", "passage": "passage: "}
TINY: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def build(base: Path) -> Path:
    """The folder that SentenceTransformer.save() wrote; random weights, a real tokenizer, no norm at its end."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = _tokenizer()
    torch.manual_seed(13)
    BertModel(BertConfig(vocab_size=tokenizer.get_vocab_size(), pad_token_id=1, **TINY)).save_pretrained(base / "bert")
    bos, pad, eos, unknown, mask = SPECIALS
    wrapper: Any = PreTrainedTokenizerFast  # it has no types
    wrapper(
        tokenizer_object=tokenizer,
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        pad_token=pad,
        unk_token=unknown,
        mask_token=mask,
    ).save_pretrained(base / "bert")
    model = SentenceTransformer(str(base / "bert"), device="cpu", prompts=PROMPTS)
    model.save(str(base / "encoder"))
    return base / "encoder"


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=SPECIALS, show_progress=False)
    tokenizer.train_from_iterator([*EVERY_MESSAGE, *PROMPTS.values()], trainer)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer

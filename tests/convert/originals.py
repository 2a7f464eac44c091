"""Small checkpoints of other libraries, made by those libraries themselves. Needs torch, transformers,
sentence-transformers and sentencepiece: what `make test-parity` installs.
"""

import io
import json
import pathlib
import random
import shutil

import numpy as np

NASTY = [
    "A dog runs.",
    "",
    "   ",
    "Café naïve ÅNGSTRÖM e\u0301",
    "漢字かな交じり文 dog",
    "two 😀 dogs 👍🏽 ran",
    "tab\tnew\nline\r\x0b\x85 runs",
    "ctrl\x00\x01\x7f\u200b\u200d\ufeff dog",
    "a" * 200,
    "é" * 100,
    "dogs " * 2000,
    "ΣΑΣ İstanbul ß ﬁ",
    "don't stop-it a.b $5.00 `q` ^x^ ~ |",
    "한국어 हिन्दी ภาษาไทย مُشَكَّل",
    "\ufffd\ue000 x \u2028\u3000y",
]
SPECIAL = ["a [MASK] dog[SEP]runs [mask]", "[PAD] a[PAD]dog", "<pad> a<pad>dog<mask>  <pad>", "[PAD]<pad>"]
MARIAN_SPECIAL = ["red</s>dog <pad>", "<pad>red", "a<unk> </s>", "</s>", "</s> >>deu<< red", "<pad>>>deu<<dog>>deu<<"]
WORDS = ["red", "blue", "green", "one", "two", "three", "dog", "cat", "bird", "house", "tree", "runs", "café"]
_BERT_NORMALIZER = {
    "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
    "lowercase": True,
}  # fmt: skip
_ADDED = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def _sequence(*normalizers):
    return {"type": "Sequence", "normalizers": [n if isinstance(n, dict) else {"type": n} for n in normalizers]}


# Parts of a tokenizer.json that take the place of BERT's, under the class that is what the file says.
TOKENIZERS = {
    "cased": {"normalizer": {**_BERT_NORMALIZER, "lowercase": False}},
    "cased, no accents": {"normalizer": {**_BERT_NORMALIZER, "lowercase": False, "strip_accents": True}},
    "accents": {"normalizer": {**_BERT_NORMALIZER, "strip_accents": False}},
    "ideographs": {"normalizer": {**_BERT_NORMALIZER, "handle_chinese_chars": False}},
    "not cleaned": {"normalizer": {**_BERT_NORMALIZER, "clean_text": False}},
    "none": {"normalizer": None},
    "NFKC": {"normalizer": _sequence("NFKC", "Lowercase")},
    "NFD": {"normalizer": _sequence("NFD", "StripAccents", {"type": "Strip", "strip_left": True, "strip_right": True})},
    "NFKC, BERT": {"normalizer": _sequence("NFKC", _BERT_NORMALIZER)},
    "blanks": {"pre_tokenizer": {"type": "WhitespaceSplit"}},
    "words": {"pre_tokenizer": {"type": "Whitespace"}, "normalizer": None},
    "ends": {"post_processor": {"type": "BertProcessing", "sep": ["[CLS]", 2], "cls": ["[SEP]", 3]}},
    "added": {
        "added_tokens": [
            *({"id": i, "content": token, **_ADDED} for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])),
            {"id": 97, "content": "Cat", **_ADDED, "normalized": True},
            {"id": 98, "content": "ab", **_ADDED},
            {"id": 99, "content": "abc", **_ADDED, "lstrip": True},
            {"id": 100, "content": "bcd", **_ADDED},
        ]
    },
    "short words": {"model": {"max_input_chars_per_word": 3}},
}  # fmt: skip
TOKENIZER_TEXTS = [
    "Dog DOG é", "Café naïve e\u0301", "漢字かな dog", "don't stop_it x_y 3.5$ ①Ⓐb", "ﬁnd ½ Å",
    "a\ue000b \ue001 c\u200bd",
    "ctrl\x00\x01\x7f dog\x0bdog\x85x", "a[PAD] [PAD]b [MASK]", "abcd abc CAT cat Catab", " \u3000dogs", "",
]  # fmt: skip
# Settings of generation_config.json.
GENERATION = [
    {"num_beams": 4, "renormalize_logits": True, "min_length": 8},
    {"num_beams": 3, "early_stopping": True},
    {"num_beams": 3, "early_stopping": "never", "length_penalty": 1.6},
    {"num_beams": 1, "min_new_tokens": 6, "max_new_tokens": 7},
]
_SUBWORDS = ["dog", "run", "two", "##ing", "cafe", "naive", "istanbul", "ran", "don", "stop", "it"]


def sentences(count, seed=0):
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randint(1, 7))) for _ in range(count)]


def randomize(model, seed, norm_scale=0.4):
    """Random values for all weights of a torch module, the normalisations' too."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" in name:
                continue  # sinusoids
            is_norm = "norm" in name.lower()
            noise = torch.randn(parameter.shape, generator=generator) * (norm_scale if is_norm else 0.4)
            parameter.copy_(noise + (1.0 if is_norm and name.endswith("weight") else 0.0))


def _vocabulary(special):
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789.,!?'-$`^~|", *"漢字σαβ"]
    return [*special, *letters, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyzσας"), *_SUBWORDS]


def make_sentence_encoder(folder, kind, dtype="float32", seed=1):
    """A folder of sentence-transformers: a random BERT (cased settings of MiniLM) or MPNet, with its tokenizer.

    BERT has two poolings, a projection and a normalisation behind it; MPNet a mean pooling alone.
    """
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    inner = folder.with_name(folder.name + "-inner")
    inner.mkdir(parents=True)
    special = {
        "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        "mpnet": ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"],
    }[kind]
    vocabulary = _vocabulary(special)
    sizes = {
        "vocab_size": len(vocabulary),
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 19,
    }
    if kind == "bert":
        tokenizer = transformers.BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})
        model = transformers.BertModel(transformers.BertConfig(**sizes, max_position_embeddings=40))
    else:
        tokenizer = transformers.MPNetTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})
        model = transformers.MPNetModel(
            transformers.MPNetConfig(**sizes, max_position_embeddings=302, pad_token_id=1, layer_norm_eps=1e-5)
        )
    randomize(model, seed)
    model.to(getattr(torch, dtype)).save_pretrained(inner)
    tokenizer.save_pretrained(inner)
    transformer = modules.Transformer(str(inner), max_seq_length=33 if kind == "bert" else 300)
    transformer.float()
    tail = [modules.Pooling(12, "mean")]
    if kind == "bert":
        tail = [modules.Pooling(12, ("cls", "mean")), modules.Dense(24, 7), modules.Normalize()]
        randomize(tail[1], seed + 1)
    encoder = SentenceTransformer(modules=[transformer, *tail], device="cpu")
    encoder.save(str(folder))
    if dtype != "float32":  # it saves float32 again
        shutil.copy(inner / "model.safetensors", folder / "model.safetensors")
    shutil.rmtree(inner)
    for name in ("README.md", ".gitattributes"):
        (folder / name).unlink(missing_ok=True)
    return encoder


def make_cross_encoder(folder, num_labels, seed=1):
    """A folder of sentence-transformers' `CrossEncoder`: a random BERT that classifies pairs, with its tokenizer."""
    import transformers
    from sentence_transformers import CrossEncoder

    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    inner = folder.with_name(folder.name + "-inner")
    inner.mkdir(parents=True)
    vocabulary = _vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    names = {} if num_labels == 1 else {"id2label": {i: f"class {i}" for i in range(num_labels)}}
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=19,
        max_position_embeddings=40,
        num_labels=num_labels,
        **names,
    )
    model = transformers.BertForSequenceClassification(config)
    randomize(model, seed)
    model.save_pretrained(inner)
    transformers.BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)}).save_pretrained(inner)
    encoder = CrossEncoder(str(inner), max_length=27, device="cpu")
    encoder.save_pretrained(str(folder))
    shutil.rmtree(inner)
    for name in ("README.md", ".gitattributes"):
        (folder / name).unlink(missing_ok=True)
    return encoder


def pairs(seed=1):
    """Pairs of texts of all kinds, some of more than 27 tokens."""
    texts = [*NASTY, *SPECIAL[:1], *sentences(30, seed)]
    turned = texts[7:] + texts[:7]
    return [*zip(texts, turned), ("red dog " * 20, "two cats " * 20), ("red " * 30, "a dog"), ("a dog", "red " * 30)]


def change_tokenizer(folder, changes, tokenizer_class="PreTrainedTokenizerFast"):
    """Puts parts of `TOKENIZERS` into the tokenizer.json in `folder`."""
    path = pathlib.Path(folder) / "tokenizer.json"
    serialized = json.loads(path.read_text())
    model = {**serialized["model"], **changes.get("model", {})}
    path.write_text(json.dumps({**serialized, **changes, "model": model}))
    path = path.with_name("tokenizer_config.json")
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "tokenizer_class": tokenizer_class}))


def tokenizer_ids(folder, texts):
    """What transformers makes of texts with the tokenizer in `folder`."""
    import transformers

    return transformers.AutoTokenizer.from_pretrained(str(folder))(texts).input_ids


def change_generation(folder, settings):
    """Puts settings of `GENERATION` into the generation_config.json in `folder`."""
    path = pathlib.Path(folder) / "generation_config.json"
    ids = {key: value for key, value in json.loads(path.read_text()).items() if key.endswith(("_id", "_ids"))}
    path.write_text(json.dumps({"max_length": 14, **ids, **settings}))


def generated_texts(folder, texts):
    """What transformers translates texts to, with the settings in `folder`."""
    import transformers

    model = transformers.MarianMTModel.from_pretrained(str(folder)).eval()
    tokenizer = transformers.MarianTokenizer.from_pretrained(str(folder))
    found = model.generate(**tokenizer(texts, return_tensors="pt", padding=True))
    return tokenizer.batch_decode(found, skip_special_tokens=True)


def train_sentencepiece(prefix, texts, rule):
    import sentencepiece

    model = io.BytesIO()  # a path would be written into the model
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=70,
        normalization_rule_name=rule,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    pathlib.Path(f"{prefix}.model").write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def make_marian(folder, seed=3):
    """A folder with a random Marian model as transformers saves it: (model, tokenizer).

    Source and target have SentencePiece models of their own and one vocabulary.
    """
    import torch
    import transformers

    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = [f"{text}{end}" for text, end in zip(sentences(400), ["", ".", "!", " ?"] * 100)]
    targets = [" ".join(word[::-1] for word in text.split()) for text in sources] + ["漢字 です"] * 5
    ids = {"</s>": 0, "<unk>": 1}
    # The table of the other rule has 240 kB.
    for name, texts, rule in (("source", sources, "nmt_nfkc"), ("target", targets, "identity")):
        processor = train_sentencepiece(folder / name, texts, rule)
        (folder / f"{name}.model").rename(folder / f"{name}.spm")
        for i in range(3, processor.vocab_size()):
            ids.setdefault(processor.id_to_piece(i), len(ids))
    for token in (">>deu<<", "<pad>"):
        ids[token] = len(ids)
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "en", "target_lang": "de"}))
    config = transformers.MarianConfig(
        vocab_size=len(ids),
        d_model=16,
        encoder_layers=2,
        decoder_layers=1,
        encoder_ffn_dim=23,
        decoder_ffn_dim=23,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        activation_function="swish",
        scale_embedding=True,
        pad_token_id=len(ids) - 1,
        eos_token_id=0,
        forced_eos_token_id=None,
        decoder_start_token_id=len(ids) - 1,
        max_position_embeddings=512,
    )
    model = transformers.MarianMTModel(config).eval()
    randomize(model, seed, norm_scale=0.04)
    with torch.no_grad():  # so that translations are of several lengths, and not of one token over and over
        generator = torch.Generator().manual_seed(seed)
        model.model.shared.weight.mul_(0.6)
        model.final_logits_bias.copy_(torch.randn(model.final_logits_bias.shape, generator=generator) * 0.3)
        model.final_logits_bias[0, 0] += 3.0
    model.generation_config.num_beams = 4
    model.generation_config.bad_words_ids = [[len(ids) - 1]]
    model.save_pretrained(folder)
    return model, transformers.MarianTokenizer.from_pretrained(folder)


def marian_logits(model, source_ids, target_ids):
    """Logits (T, V) for one source, target ids with the begin id first."""
    import torch

    with torch.no_grad():
        outputs = model(input_ids=torch.tensor([source_ids]), decoder_input_ids=torch.tensor([target_ids]))
    return outputs.logits[0].numpy()


def marian_beams(model, tokenizer, texts, length_penalty, max_tokens):
    """What `generate` gives for a batch of texts: ids (N, 4, T) without the begin id, scores (N, 4), texts."""
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    found = model.generate(
        **batch,
        num_return_sequences=4,
        length_penalty=length_penalty,
        max_new_tokens=max_tokens,
        return_dict_in_generate=True,
        output_scores=True,
    )
    ids = found.sequences[:, 1:].reshape(len(texts), 4, -1).numpy()
    scores = np.reshape(found.sequences_scores.numpy(), (len(texts), 4))
    return ids, scores, tokenizer.batch_decode(found.sequences, skip_special_tokens=True)

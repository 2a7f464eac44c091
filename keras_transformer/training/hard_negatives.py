"""Wrong responses that are nearly right, for rankings: found by an encoder that is trained already."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_transformer import arguments
from keras_transformer.vector_similarity import similarity

if TYPE_CHECKING:
    from keras_transformer.pipelines.embedding import EmbedsTexts


def mine_hard_negatives(
    embedder: "EmbedsTexts",
    pairs: Sequence[tuple[str, str]],
    corpus: Sequence[str] | None = None,
    *,
    num_negatives: int = 1,
    skip: int = 0,
    among: int = 100,
    margin: float | None = None,
    relative_margin: float | None = None,
    max_score: float | None = None,
    min_score: float | None = None,
    batch_size: int = 32,
) -> list[tuple[str, ...]]:
    """To each pair of input and response the texts of a corpus that are nearest to the input and are no response.

    Known as `mine_hard_negatives` in sentence-transformers. Never negatives are the input itself and what stands as a
    response beside the same input in any pair. Cosines are those of vectors.

    Args:
        embedder: a `TextEmbedder`, or a SavedModel as `load_embedder` gives.
        pairs: of input and response.
        corpus: the texts to search; by default all responses.
        num_negatives: how many each pair gets. A pair for which fewer are found is left out.
        skip: leave out so many of the nearest texts first: where one input has many right responses that no pair names.
        among: search so many of the nearest texts, those skipped included.
        margin: by how much a negative's cosine must be below that of the response.
        relative_margin: the same as a fraction of the response's cosine: 0.05 leaves out what has more than 95% of it.
        max_score: the highest cosine of a negative.
        min_score: the lowest.
        batch_size: texts that are embedded at once.

    Returns:
        Rows of input, response and `num_negatives` texts, the nearest first, for `SentenceTask` and a
        `ResponseRanking`, in the order of the pairs.

    Raises:
        ValueError: without pairs or corpus, for numbers out of range.

    References:
        Xiong et al., 2020, "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval";
        Moreira et al., 2024, "NV-Retriever" (margins to the response's score).

    Example:
        >>> from keras_transformer.training import mine_hard_negatives
        >>> encoder = keras_transformer.models.DeepAveragingNetwork(260, 0, 1, 8, output_dim=8, token_weights=True)
        >>> embedder = keras_transformer.TextEmbedder(encoder, keras_transformer.text.ByteTokenizer())
        >>> mine_hard_negatives(embedder, [("aaa", "aab"), ("xxx", "xxy")], ["aab", "aaz", "xxy", "xxz"])
        [('aaa', 'aab', 'aaz'), ('xxx', 'xxy', 'xxz')]
    """
    from keras_transformer.search import nearest_vectors  # its room brings TensorFlow
    from keras_transformer.search.unit_vectors import as_embed

    arguments.positive_integer("num_negatives", num_negatives)
    arguments.non_negative_integer("skip", skip)
    if arguments.positive_integer("among", among) < skip + num_negatives:
        raise ValueError(f"Expected among to be at least skip + num_negatives. Received: among={among}, skip={skip}")
    pairs = [tuple(pair) for pair in pairs]
    corpus = list(dict.fromkeys(response for _, response in pairs) if corpus is None else dict.fromkeys(corpus))
    if not pairs or not corpus:
        raise ValueError(f"Expected pairs, and texts to search. Received: {len(pairs)} and {len(corpus)}")
    inputs = list(dict.fromkeys(text for text, _ in pairs))
    responses = {}
    for text, response in pairs:
        responses.setdefault(text, set()).add(response)
    places = {text: place for place, text in enumerate(inputs)}
    embed_queries = as_embed(embedder, ("embed_queries", "embed"))
    embed_documents = as_embed(embedder, ("embed_documents", "embed"))
    vectors = embed_queries(inputs, batch_size)
    # What is no negative must not take the places of those that may be.
    reach = among + 1 + max(map(len, responses.values()))
    numbers, cosines = nearest_vectors(vectors, embed_documents(corpus, batch_size), reach)
    of_responses = embed_documents([response for _, response in pairs], batch_size)
    own = similarity(vectors[[places[text] for text, _ in pairs]], of_responses, "cosine", paired=True)
    rows = []
    for (text, response), cosine in zip(pairs, own):
        highest = _lowest_of(
            max_score,
            None if margin is None else cosine - margin,
            None if relative_margin is None else cosine - abs(cosine) * relative_margin,
        )
        found = []
        for number, alike in zip(numbers[places[text]], cosines[places[text]]):
            if corpus[number] != text and corpus[number] not in responses[text]:
                found.append((corpus[number], alike))
        kept = [
            candidate
            for candidate, alike in found[skip:among]
            if (highest is None or alike <= highest) and (min_score is None or alike >= min_score)
        ]
        if len(kept) >= num_negatives:
            rows.append((text, response, *kept[:num_negatives]))
    return rows


def _lowest_of(*limits):
    return min((limit for limit in limits if limit is not None), default=None)

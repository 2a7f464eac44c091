"""A retrieval task of random vectors, with graded judgements."""

import numpy as np


def embed_as(vectors):
    return lambda texts: [vectors[text] for text in texts]


def made_task(num_queries=19, num_documents=211, width=7, gains=4):
    """(queries, documents, relevance, {text: vector}); what is relevant is a little nearer to its query than others."""
    random = np.random.default_rng(3)
    queries = {f"q{number}": f"query {number}" for number in range(num_queries)}
    documents = {f"d{number}": f"document {number}" for number in range(num_documents)}
    vectors = {text: random.normal(size=width) for text in (*queries.values(), *documents.values())}
    relevance = {}
    for query, text in queries.items():
        chosen = random.choice(num_documents, size=random.integers(1, 9), replace=False)
        relevance[query] = {f"d{number}": int(gain) for number, gain in zip(chosen, random.integers(0, gains, 9))}
        relevance[query][f"d{chosen[0]}"] = 1
        for number in chosen:
            vectors[f"document {number}"] = vectors[f"document {number}"] + vectors[text]
    return queries, documents, relevance, vectors

"""A REST client of TensorFlow Serving that needs the standard library only.

python rest_client.py http://localhost:8501 "A dog runs."
"""

import json
import sys
import urllib.request
from collections.abc import Sequence
from typing import Any


def predict(server: str, model: str, body: dict[str, Any], label: str | None = None) -> Any:
    """Posts `body` to `:predict` of the newest version, or of the version with a label.

    Returns:
        "predictions" of the reply to a body in row format ("instances"), "outputs" for column format ("inputs").
    """
    version = f"/labels/{label}" if label else ""
    request = urllib.request.Request(
        f"{server}/v1/models/{model}{version}:predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        (answer,) = json.load(response).values()
    return answer


def translate(server: str, texts: Sequence[str], label: str | None = None) -> list[str]:
    """Row format: one text per row, one translation per row."""
    if not texts:  # a server that batches would wait for more rows until the request times out
        return []
    return predict(server, "translator", {"instances": texts}, label)


def translate_n_best(
    server: str, texts: Sequence[str], length_penalty: float = 1.0, label: str | None = None
) -> list[list[tuple[str, float]]]:
    """Row format with named inputs: (translation, score) pairs for each row, best first."""
    if not texts:
        return []
    rows = [{"inputs": text, "prefixes": "", "length_penalty": length_penalty} for text in texts]
    found = predict(server, "translator", {"signature_name": "n_best", "instances": rows}, label)
    # If there are fewer hypotheses than asked for, the others score -Infinity.
    return [[pair for pair in zip(row["outputs"], row["scores"]) if pair[1] > -1e30] for row in found]


def embed(server: str, texts: Sequence[str]) -> list[list[float]]:
    """Column format: all texts in one list, all vectors in one list."""
    if not texts:
        return []
    return predict(server, "embedder", {"inputs": texts})


def rank(server: str, question: str, responses: Sequence[str], contexts: Sequence[str]) -> list[tuple[float, str]]:
    """Column format with named inputs: (score, response) pairs, best first."""
    if not responses:
        return []
    body = {"signature_name": "question_encoder", "inputs": [question]}
    (query,) = predict(server, "question_answer", body)
    body = {"signature_name": "response_encoder", "inputs": {"input": responses, "context": contexts}}
    answers = predict(server, "question_answer", body)
    scores = [sum(a * b for a, b in zip(query, answer)) for answer in answers]
    return sorted(zip(scores, responses), reverse=True)


if __name__ == "__main__":
    address, *sentences = sys.argv[1:]
    for sentence, translation in zip(sentences, translate(address, sentences)):
        print(f"{sentence}  ->  {translation}")

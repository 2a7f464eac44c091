"""Asks TensorFlow Serving over REST, with the standard library alone.

python rest_client.py http://localhost:8501 "A dog runs."
"""

import json
import sys
import urllib.request


def predict(server, model, body, label=None):
    """Posts `body` to `:predict`; the newest version answers, or the one with a label.

    Returns:
        What is under "predictions" for a row-format body ("instances"), under "outputs" for a column-format one.
    """
    version = f"/labels/{label}" if label else ""
    request = urllib.request.Request(
        f"{server}/v1/models/{model}{version}:predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        (answer,) = json.load(response).values()
    return answer


def translate(server, texts, label=None):
    """Row format: a text for each row, a translation for each row."""
    if not texts:  # for which a server that batches would wait until it times out
        return []
    return predict(server, "translator", {"instances": texts}, label)


def translate_n_best(server, texts, length_penalty=1.0, label=None):
    """Row format with named inputs: (text, score) pairs for each row, the best first."""
    if not texts:
        return []
    rows = [{"inputs": text, "prefixes": "", "length_penalty": length_penalty} for text in texts]
    found = predict(server, "translator", {"signature_name": "n_best", "instances": rows}, label)
    # Where there are fewer hypotheses the score is -Infinity.
    return [[pair for pair in zip(row["outputs"], row["scores"]) if pair[1] > -1e30] for row in found]


def embed(server, texts):
    """Column format: all texts, all vectors."""
    if not texts:
        return []
    return predict(server, "embedder", {"inputs": texts})


def rank(server, question, responses, contexts):
    """Column format with named inputs: (score, response), the best first."""
    if not responses:
        return []
    body = {"signature_name": "question_encoder", "inputs": [question]}
    (asked,) = predict(server, "question_answer", body)
    body = {"signature_name": "response_encoder", "inputs": {"input": responses, "context": contexts}}
    answers = predict(server, "question_answer", body)
    scores = [sum(a * b for a, b in zip(asked, answer)) for answer in answers]
    return sorted(zip(scores, responses), reverse=True)


if __name__ == "__main__":
    address, *sentences = sys.argv[1:]
    for sentence, translation in zip(sentences, translate(address, sentences)):
        print(f"{sentence}  ->  {translation}")

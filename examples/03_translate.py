"""The English-German translator of saved_models/, loaded by `tensorflow_hub` without this package.

python examples/03_translate.py "A dog runs through the snow." --begin "Im Schnee"
"""

import argparse
import pathlib

import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401 - registers the operations of the tokenizer

NEWEST = max((pathlib.Path(__file__).parents[1] / "saved_models" / "translator_en_de").glob("[0-9]*"))


def strings(values: tf.Tensor) -> list[str]:
    return [value.decode("utf-8") for value in values.numpy().ravel()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="*", default=["A dog runs through the snow.", "Two men are playing guitar."])
    parser.add_argument("--begin", default="", help="prefix of each translation")
    args = parser.parse_args()
    module = hub.load(str(NEWEST))
    texts = tf.constant(args.texts)

    print("The module is callable:")
    for text, translation in zip(args.texts, strings(module(texts))):
        print(f"  {text}  ->  {translation}")

    print(f"The signature n_best, with the prefix {args.begin!r}:")
    found = module.signatures["n_best"](
        inputs=texts, prefixes=tf.fill(texts.shape, args.begin), length_penalty=tf.constant([1.0])
    )
    for translations, scores in zip(found["outputs"], found["scores"].numpy()):
        for translation, score in zip(strings(translations), scores):
            print(f"  {score:6.2f}  {translation}")

    print("The signature alignment, the source token that each German token attends to most:")
    aligned = module.signatures["alignment"](inputs=texts[:1])
    sources, targets = strings(aligned["source_tokens"]), strings(aligned["target_tokens"])
    for target, weights in zip(targets, aligned["weights"][0].numpy()):
        if target:  # the rest is padding
            print(f"  {target:>12}  {sources[weights.argmax()]} ({weights.max():.2f})")


if __name__ == "__main__":
    main()

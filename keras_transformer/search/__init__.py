"""What one does with vectors of texts: search, pairs, groups, duplicates."""

from keras_transformer.search.communities import community_detection
from keras_transformer.search.duplicates import near_duplicates
from keras_transformer.search.nearest import Nearest, nearest_vectors
from keras_transformer.search.paraphrases import Pairs, paraphrase_mining
from keras_transformer.search.semantic_index import Hit, SemanticIndex

__all__ = [
    "Hit",
    "Nearest",
    "Pairs",
    "SemanticIndex",
    "community_detection",
    "near_duplicates",
    "nearest_vectors",
    "paraphrase_mining",
]

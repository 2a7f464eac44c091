"""What one does with vectors of texts: search, pairs, groups, duplicates."""

from keras_transformer.search.clusters import agglomerative_clustering, k_means
from keras_transformer.search.communities import community_detection
from keras_transformer.search.duplicates import near_duplicates
from keras_transformer.search.hybrid_index import HybridIndex
from keras_transformer.search.keyword_index import KeywordIndex
from keras_transformer.search.nearest import Nearest, nearest_vectors
from keras_transformer.search.nearest_texts import NearestTexts
from keras_transformer.search.paraphrases import Pairs, paraphrase_mining
from keras_transformer.search.rank_fusion import reciprocal_rank_fusion
from keras_transformer.search.reranking import RerankedIndex, rerank
from keras_transformer.search.semantic_index import Hit, SemanticIndex

__all__ = [
    "Hit",
    "HybridIndex",
    "KeywordIndex",
    "Nearest",
    "NearestTexts",
    "Pairs",
    "RerankedIndex",
    "SemanticIndex",
    "agglomerative_clustering",
    "community_detection",
    "k_means",
    "near_duplicates",
    "nearest_vectors",
    "paraphrase_mining",
    "reciprocal_rank_fusion",
    "rerank",
]

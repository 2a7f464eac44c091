"""From a model that scores tokens to whole sequences, inside the graph."""

from keras_transformer.decoding.beam_search import BeamSearch
from keras_transformer.decoding.decodable_model import BeamableCache, DecodableModel
from keras_transformer.decoding.greedy_search import GreedySearch
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.decoding.sampling import Sampling
from keras_transformer.decoding.search import Search

__all__ = ["BeamSearch", "BeamableCache", "DecodableModel", "GreedySearch", "Hypotheses", "Sampling", "Search"]

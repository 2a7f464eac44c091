import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.decoding import GreedySearch, Search
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.models import Transformer
from keras_transformer.ops import masks
from keras_transformer.pipelines import translator_export
from keras_transformer.pipelines.compiled_search import compiled_search
from keras_transformer.pipelines.litert_translator_export import write_litert_translator
from keras_transformer.pipelines.parts import deserialize_parts, serialize_part
from keras_transformer.pipelines.pipeline import Pipeline
from keras_transformer.pipelines.signatures import ExportFunctions, Requests
from keras_transformer.pipelines.translation import TranslatesTexts
from keras_transformer.quantization import keras_kernels
from keras_transformer.text import Tokenizer
from keras_transformer.types import Config, PathLike, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Translator(TranslatesTexts, Pipeline):
    """Strings in one language to strings in another: tokenizer, `Transformer`, search in the graph.

    Args:
        transformer: a `keras_transformer.models.Transformer`.
        tokenizer: of the source, and of the target unless `target_tokenizer` is given.
        target_tokenizer: of the target.
        max_extra_length: a translation, its end id included, has at most this many tokens more than its source
            without; the paper's 50.
        max_source_length: longer sources are truncated to so many tokens, the end id included.
        search: one of `keras_transformer.decoding`; by default `GreedySearch()`, the fastest. The paper has
            `BeamSearch(beam_size=4, length_penalty=0.6)`. The attribute may be assigned anew at any time.
        name: the model's name.
        xla: whether XLA compiles the search, for each batch size (rounded up to a power of two) and length of sources
            and prefixes (to a multiple of 16) that comes, which takes seconds each time. Then a single sentence takes
            less time, and large batches about as long as without. An export then needs a server that compiles, as
            TensorFlow Serving does only when started with `--xla_cpu_compilation_enabled=true`. Samples are others than
            without. (`search_ids` and `attention`, called eagerly, do without it.) May be assigned anew.
        max_target_length: a translation, its end id included, has at most this many tokens, however long its source;
            by default only `max_extra_length` counts.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,). A text without tokens (empty, blanks) gives the empty string.

    Exported signatures, inputs -> outputs; numbers may also be (1,), one for all:
        - "serving_default": inputs, strings (N,) -> outputs, strings (N,).
        - "ids": inputs, int32 ids (N, S), each row with its end id, then the tokenizer's padding id (0 of ours, the
          last id of a converted Marian model) -> outputs, int32 ids (N, T). Rows are truncated as texts are, and ids
          that the tokenizer does not have count as unknown.
        - "n_best": inputs, prefixes, strings (N,) both, and of a `BeamSearch` length_penalty, floats (N,) -> outputs,
          strings (N, K), and scores, float32 (N, K), best first; "" with -inf where there are fewer.
        - "sample": inputs, seed (int32), temperature, top_p (floats), all (N,) -> outputs, strings (N,).
        - "alignment": inputs -> source_tokens, strings (N, S), and target_tokens, strings (N, T), both padded with "",
          and weights, float32 (N, T, S): the cross-attention of the last layer, averaged over its heads.
        - "lengths": inputs -> outputs, int64 (N,), the tokens of each text with its end id, and longest, int64 (N,):
          what is beyond so many is not translated.

        A number that makes no sense spoils no batch: what is out of bounds counts as the bound (length_penalty 0 and
        10, seed 0, temperature 1e-6 and 1e6, top_p 1e-6 and 1), and NaN as the search's own (of "sample" where `search`
        is no `Sampling`: temperature and top_p 1). Inputs of other ranks, or of unequal numbers of rows, are refused.

        Fixed by the export are `search` with its beam size, normalization, `num_best` and `min_length` (and the
        length penalty of all but "n_best"), the `top_k` of "sample" (of `search` if that is a `Sampling`, else all
        tokens), `max_extra_length`, `max_target_length` and `max_source_length`.

    Raises:
        ValueError: for inputs that are not a list or vector of strings, sizes below 1, a search that is none, and a
            tokenizer whose vocabulary is larger than the transformer's.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> transformer = keras_transformer.models.Transformer(
        ...     tokenizer.vocabulary_size, num_layers=1, hidden_dim=8, intermediate_dim=16, num_heads=2
        ... )
        >>> translator = keras_transformer.Translator(transformer, tokenizer, max_extra_length=5)
        >>> len(list(translator.translate(["A dog runs.", ""], batch_size=2)))  # one for each text, untrained
        2
    """

    def __init__(
        self,
        transformer: Transformer,
        tokenizer: Tokenizer,
        target_tokenizer: Tokenizer | None = None,
        max_extra_length: int = 50,
        max_source_length: int = 512,
        search: Search | None = None,
        name: str | None = None,
        xla: bool = False,
        max_target_length: int | None = None,
    ):
        super().__init__(name=name)
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.target_tokenizer = target_tokenizer
        self.max_extra_length = arguments.positive_integer("max_extra_length", max_extra_length)
        self.max_source_length = arguments.positive_integer("max_source_length", max_source_length)
        self.max_target_length = arguments.optional_positive_integer("max_target_length", max_target_length)
        self.search = GreedySearch() if search is None else search
        self.xla = xla
        _check_vocabulary(tokenizer, transformer.source_embedding)
        _check_vocabulary(self.target_side, transformer.target_embedding)

    @property
    def search(self) -> Search:
        """How translations are found."""
        return self._search

    @search.setter
    def search(self, search: Search) -> None:
        if not isinstance(search, Search):
            raise ValueError(f"Expected a search of keras_transformer.decoding. Received: search={search!r}")
        self._search = search
        self._forget_graphs()

    @property
    def xla(self) -> bool:
        """Whether XLA compiles the search."""
        return self._xla

    @xla.setter
    def xla(self, xla: bool) -> None:
        self._xla = xla
        self._forget_graphs()

    def _forget_graphs(self):
        self._graphs, self.predict_function = {}, None

    @property
    def target_side(self) -> Tokenizer:
        """The tokenizer of the target."""
        return self.target_tokenizer or self.tokenizer

    @property
    def length_limits(self) -> dict[str, int | None]:
        """The arguments that limit lengths, for another translator of the same texts: {name: number or `None`}."""
        names = ("max_extra_length", "max_source_length", "max_target_length")
        return {name: getattr(self, name) for name in names}

    @property
    def model(self) -> Transformer:
        return self.transformer

    @property
    def tokenizers(self) -> list[Tokenizer]:
        return [self.tokenizer] + ([self.target_tokenizer] if self.target_tokenizer else [])

    def call(self, inputs: Tensor) -> tf.Tensor:
        source_ids, _ = self.source_ids(inputs)
        return self.target_side.detokenize(self._from_ids(source_ids))

    def source_ids(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Texts (N,) as ids (N, S), each row with its end id, and how many each had before truncation, (N,)."""
        tokenizer, longest = self.tokenizer, self.max_source_length
        tokens = tokenizer.tokenize(texts, add_end=True)
        lengths = tokens.row_lengths()
        ids = tokenizer.pad(tokens[:, :longest])
        is_end = (lengths >= longest)[:, None] & (tf.range(tf.shape(ids)[1]) == longest - 1)
        return tf.where(is_end, tokenizer.end_id, ids), lengths

    def num_source_tokens(self, texts: tf.Tensor) -> tf.Tensor:
        """How many tokens each of the texts (N,) has, its end id included: int64 (N,).

        What is beyond `max_source_length` is not translated.
        """
        return self.tokenizer.tokenize(texts, add_end=True).row_lengths()

    def search_ids(
        self,
        source_ids: tf.Tensor,
        prefix_ids: tf.Tensor | None = None,
        search: Search | None = None,
        model: Any = None,
        **settings: Any,
    ) -> Hypotheses:
        """Searches for translations, ids to ids.

        Args:
            source_ids: int32 (N, S), each row with its end id, padded.
            prefix_ids: int32 (N, P), padded: how each translation begins.
            search: by default the translator's own.
            model: what the search drives; by default the transformer.
            **settings: of the search, for this call.

        Returns:
            `Hypotheses`.
        """
        # By position: a text may spell the tokens of both ids.
        is_real = masks.of_ids(source_ids, self.tokenizer.padding_id, "right")
        has_end = tf.reduce_any(source_ids == self.tokenizer.end_id, axis=1)
        lengths = tf.reduce_sum(tf.cast(is_real, tf.int32), axis=1) - tf.cast(has_end, tf.int32)
        limits = tf.where(lengths > 0, lengths + self.max_extra_length, 0)
        if self.max_target_length:
            limits = tf.minimum(limits, self.max_target_length)
        find = functools.partial(
            search or self.search,
            model or self.transformer,
            begin_id=self.target_side.begin_id,
            end_id=self.target_side.end_id,
            padding_id=self.target_side.padding_id,
        )
        if self.xla and not tf.executing_eagerly():  # where each call would compile anew
            with keras_kernels(self.transformer):  # XLA has no others
                return compiled_search(
                    find,
                    source_ids,
                    limits,
                    self.max_extra_length,
                    self.tokenizer.padding_id,
                    self.target_side.padding_id,
                    prefix_ids,
                    **settings,
                )
        return find(source_ids, limits, prefix_ids=prefix_ids, **settings)

    def detokenize(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids (N, K, T) as texts (N, K)."""
        number, beam_size, length = tf.unstack(tf.shape(ids))
        texts = self.target_side.detokenize(tf.reshape(ids, [number * beam_size, length]))
        return tf.reshape(texts, [number, beam_size])

    def cross_attention(self, source_ids: tf.Tensor, target_ids: tf.Tensor, model: Any = None) -> list[tf.Tensor]:
        """The weights (N, H, T, S) of each layer's attention from target ids (N, T) to source ids (N, S)."""
        model = model or self.transformer
        begin = tf.fill([tf.shape(target_ids)[0], 1], self.target_side.begin_id)
        preceding = tf.concat([begin, target_ids[:, :-1]], axis=1)
        return model.decode(preceding, model.encode(source_ids, unpadding=True), return_attention_scores=True)[1]

    def _from_ids(self, source_ids):
        """Source ids (N, S), each row with its end id, to target ids (N, T)."""
        return self.search_ids(source_ids, num_best=1, return_scores=False).ids[:, 0]

    def compute_output_spec(self, inputs: keras.KerasTensor, **kwargs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype="string")

    def export_functions(self, trainable: bool) -> ExportFunctions:
        # An export of a translator is for inference, but its weights can be read and replaced.
        return translator_export.TranslatorExport(self).functions()

    def export_litert(self, path: PathLike, dtype: str | None = None, lengths: Sequence[int] | None = None) -> None:
        if lengths is not None:
            raise ValueError(f"Expected no lengths of a translator, which has its own. Received: lengths={lengths}")
        write_litert_translator(self, path, dtype)

    def warmup_requests(self, texts: Sequence[str]) -> Requests:
        return translator_export.warmup_requests(self, texts)

    def get_config(self) -> Config:
        return {
            "name": self.name,
            "transformer": serialize_part(self.transformer),
            "tokenizer": serialize_part(self.tokenizer),
            "target_tokenizer": serialize_part(self.target_tokenizer),
            **self.length_limits,
            "search": serialize_part(self.search),
            "xla": self.xla,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: Config | None = None) -> "Translator":
        parts = ("transformer", "tokenizer", "target_tokenizer", "search")
        return cls(**deserialize_parts({"search": None, **config}, parts))


def _check_vocabulary(tokenizer, embedding):
    if tokenizer.vocabulary_size > embedding.vocabulary_size:
        raise ValueError(
            "Expected a transformer with a vector for each token. Received: "
            f"{tokenizer.vocabulary_size} tokens, vocabulary_size={embedding.vocabulary_size}"
        )

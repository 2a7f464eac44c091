"""Names that the command line needs before Keras is imported: files of a training folder, kinds of tasks."""

TRANSLATOR = "translator.keras"
EMBEDDER = "embedder.keras"
QUESTION_ANSWERER = "question_answerer.keras"
PAIR_SCORER = "pair_scorer.keras"
VOCABULARY = "vocabulary.model"
CHECKPOINT = "training-state"

# Of sentence encoders: class methods of `SentenceTask`. Its `answers` are of dual encoders.
KINDS = (
    "paraphrases", "ranking", "inference", "entailment", "similarity", "neighbours", "sentences", "denoising",
    "triplets", "classes", "matches", "candidates", "teacher",
)  # fmt: skip
RANKING = ("paraphrases", "ranking", "entailment", "neighbours", "sentences")  # by default with `ResponseRanking`
GUIDED = ("paraphrases", "ranking", "entailment", "neighbours")  # those in which a guide may know of false negatives
ROLES = ("query", "document", "passage", "corpus")  # those of `pipelines.embedding`, which these tasks know
WITH_ROLES = ("ranking", "candidates")  # rows of a query, and of what is searched
PAIR_KINDS = ("matches", "similarity", "ranking", "classes", "scores")  # class methods of `PairData`

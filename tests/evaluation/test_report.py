from keras_transformer.evaluation import Estimate, Measured, MeasuredTask, markdown_table, score_retrieval
from keras_transformer.evaluation.report import retrieval_task

TASKS = [
    MeasuredTask(
        "Similarity", "40 pairs", [Measured.of(Estimate("Spearman", 0.83456, (-0.00001, 0.9))), Measured("MRR", 0.5)],
        files=["a.tsv", "b|c.tsv"],
    ),
    MeasuredTask(
        "Classification", "9 texts", [Measured("accuracy", float("nan"))], [("of each fold", "0.1 0.2")], ["d"],
    ),
]  # fmt: skip


def test_lines():
    assert "\n".join(task.text for task in TASKS).splitlines() == [
        "Similarity, a.tsv b|c.tsv: 40 pairs",
        "  Spearman           0.8346   95% interval 0.0000 to 0.9000",
        "  MRR                0.5000",
        "Classification, d: 9 texts",
        "  accuracy              nan",
        "  of each fold       0.1 0.2",
    ]


def test_a_table():
    assert markdown_table(TASKS).splitlines() == [
        "| task | measure | figure | 95% interval |",
        "|---|---|---|---|",
        r"| Similarity, a.tsv b\|c.tsv: 40 pairs | Spearman | 0.8346 | 0.0000 to 0.9000 |",
        r"| Similarity, a.tsv b\|c.tsv: 40 pairs | MRR | 0.5000 |  |",
        "| Classification, d: 9 texts | accuracy | nan |  |",
    ]


def test_retrieval():
    task = retrieval_task(score_retrieval([[1, 0], [0, 1]], [[2, 0], [1, 1]], recall_at=(2,)))
    assert task.counts == "2 pairs, 2 queries, 2 answers"
    assert [(figure.name, figure.value) for figure in task.figures] == [
        ("P@1", 1.0), ("MRR", 1.0), ("MAP", 1.0), ("nDCG@10", 1.0), ("recall@2", 1.0),
    ]  # fmt: skip

from benchmarks import markdown


def target(subject, peer, of, ratio, median, least, most):
    met = median is not None and median >= ratio
    return {
        **{"subject": subject, "peer": peer, "of": of, "ratio": ratio},
        **{"median": median, "min": least, "max": most, "met": met},
    }


RESULT = {
    "title": "Sums, 9 x 9",
    "name": "sums",
    "unit": "sums",
    "amount": 200,
    "subjects": {
        "keras_transformer": {"seconds": [0.1, 0.3, 0.2], "peak_bytes": 2**29},
        "torch": {"seconds": [1.5, 1.6, 1.7], "peak_bytes": 2**31},
    },
    "failures": {"KerasHub": "Traceback\n  ...\nMemoryError: too much\n"},
    "targets": [
        target("keras_transformer", "torch", "seconds", 1.5, 8.0, 5.67, 15.0),
        target("keras_transformer int8", "torch", "memory", 1.0, 0.5, 0.5, 0.5),
        target("keras_transformer", "KerasHub", "seconds", 1.0, None, None, None),
    ],
}


def test_a_row_for_each_target():
    assert markdown.targets_table([RESULT])[2:] == [
        "| Sums, 9 x 9 | torch | 1.5 | **8.00 (5.67 to 15.00)** |",
        "| Sums, 9 x 9 | int8, against torch (memory) | 1 | 0.50 |",
        "| Sums, 9 x 9 | KerasHub | 1 | not run |",
    ]


def test_a_section():
    lines = markdown.section(RESULT)
    assert lines[:3] == ["### Sums, 9 x 9", "", "`make bench QUESTIONS=sums`"]
    assert "| keras_transformer | 200 (100 to 300) | 1,000 | 0.50 GiB |" in lines
    assert "| torch | 1,600 (1,500 to 1,700) | 125 | 2.00 GiB |" in lines
    assert "| KerasHub | failed: MemoryError: too much | | |" in lines
    assert "- keras_transformer int8 against torch in memory: 0.50, target 1" in lines

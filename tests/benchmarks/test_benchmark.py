import json
import pathlib

import pytest

import benchmarks.benchmark
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.benchmark import OURS
from benchmarks.report import table
from tests.benchmarks.made_benchmark import benchmark


@pytest.fixture(scope="module")
def result():
    return benchmark.measure()


def test_every_subject_runs_in_every_round(result):
    assert [len(subject["seconds"]) for subject in result["subjects"].values()] == [3] * 6
    assert result["subjects"]["slow"]["seconds"] == pytest.approx([0.1] * 3, abs=0.09)


def test_aims_are_judged_by_the_median_of_the_ratios(result):
    modest, bold, broken, memory = result["targets"]
    ours, slow = (result["subjects"][name]["seconds"] for name in (OURS, "slow"))
    assert modest["median"] == sorted(theirs / own for theirs, own in zip(slow, ours))[1]
    assert (modest["met"], bold["met"]) == (True, False)
    assert broken["median"] is broken["met"] is None
    large, small = (result["subjects"][name]["peak_bytes"] for name in ("large", OURS))
    assert memory["median"] == large / small
    assert memory["met"]


def test_outputs_are_compared(result):
    assert result["disagreements"] == {"wrong": 1.0}
    assert result["subjects"]["other"]["difference"] == 0.25
    assert "difference" not in result["subjects"]["not compared"]


def test_a_subject_that_fails_stops_no_other(result):
    assert "OSError: no library here" in result["failures"]["broken"]
    assert "MemoryError: a large one" in result["failures"]["breaks later"]
    assert sorted(result["failures"]) == ["breaks later", "broken"]


def test_table(result):
    text = table(result)
    assert "wrong: OUTPUTS DIFFER by 1" in text
    assert "broken" in text and "failed: OSError: no library here" in text
    assert "keras_transformer against slow, target 1000x: " in text and "NOT MET" in text
    assert "naps/s" in text


def test_command_writes_json_and_plot_and_tells_of_differences(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit:
        benchmark.main(["--out", str(tmp_path), "--rounds", "1", "--only", OURS, "wrong"])
    assert exit.value.code == 1
    assert "Waiting" in capsys.readouterr().out
    written = json.loads((tmp_path / "made_benchmark.json").read_text())
    assert list(written["subjects"]) == [OURS, "wrong"]
    assert written["amount"] == 6
    assert "Waiting" in (tmp_path / "made_benchmark.svg").read_text()


def test_command_succeeds_where_outputs_agree(tmp_path):
    benchmark.main(["--out", str(tmp_path), "--rounds", "1", "--only", OURS, "other"])  # no SystemExit
    assert json.loads((tmp_path / "made_benchmark.json").read_text())["disagreements"] == {}


def test_every_benchmark_is_a_program():
    folder = pathlib.Path(benchmarks.benchmark.__file__).parent
    programs = {path.stem for path in folder.glob("*.py") if '__name__ == "__main__"' in path.read_text()}
    assert programs - {"__main__", "benchmark", "worker", "minilm", "markdown", "accelerator_training"} == set(
        BENCHMARKS
    )


def test_unknown_benchmarks_are_named(capsys):
    with pytest.raises(SystemExit):
        main(["encoder_forwards"])
    assert "received encoder_forwards" in capsys.readouterr().err

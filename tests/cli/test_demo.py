"""keras-transformer demo: all of its steps but the training, which tests/training/test_date_translator.py looks at."""

from keras_transformer.cli import demo, models
from keras_transformer.cli.main import main
from keras_transformer.training import date_translator


def test_demo(translator, exported, exported_embedder, tmp_path, monkeypatch, capfd):
    """With small models in the place of those that a checkout carries."""
    for name, path in ((models.SHIPPED_TRANSLATOR, exported), (models.SHIPPED_EMBEDDER, exported_embedder)):
        (tmp_path / "shipped" / name).mkdir(parents=True)
        (tmp_path / "shipped" / name / "7").symlink_to(path)
    monkeypatch.setattr(models, "_SHIPPED", tmp_path / "shipped")
    asked = []
    monkeypatch.setattr(date_translator, "fit_date_translator", lambda *args: asked.append(args) or translator)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o" / "saved_model" / "1").mkdir(parents=True)  # as an earlier demo left it
    assert (
        main(["demo", "--pairs", "600", "--epochs", "3", "--seed", "5", "--out", "o", "ko: Friday, May 5, 2000"]) == 0
    )
    ((training, validation, *rest),) = asked
    assert (len(training), len(validation), rest) == (600, 6, ["o", 3, 5])
    shown = capfd.readouterr().out
    assert "Held-out dates translated exactly: 0.0% of 54\n" in shown
    assert "  ko: Friday, May 5, 2000  ->  " in shown
    assert "shipped/translator_en_de/7 translates\n  A dog runs through the snow.  ->  " in shown
    assert (
        "shipped/sentence_encoder_en/7 embeds 8 sentences as vectors of 6; nearest to\n  How old are you?  is  "
        in shown
    )
    assert (tmp_path / "o" / "similarity.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "o" / "attention.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in (tmp_path / "o" / "saved_model").iterdir()) == ["1", "2"]
    assert (tmp_path / "o" / "saved_model" / "2" / "saved_model.pb").exists()


def test_what_is_left_out_is_said(tmp_path, monkeypatch, capsys):
    """Without a checkout."""
    monkeypatch.setattr(models, "_SHIPPED", tmp_path)
    monkeypatch.chdir(tmp_path)
    demo._use_the_shipped_translator()
    demo._use_the_shipped_embedder(str(tmp_path / "similarity.png"))
    translating, comparing = capsys.readouterr().out.splitlines()
    assert translating == (
        "Left out: translating with a trained model. Its model, saved_models/translator_en_de, comes with a checkout: "
        "run the demo there."
    )
    assert "comparing sentences by a trained model. Its model, saved_models/sentence_encoder_en" in comparing
    assert list(tmp_path.iterdir()) == []

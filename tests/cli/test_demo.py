"""What the demo does without a checkout."""

from keras_transformer.cli import demo, models


def test_what_is_left_out_is_said(tmp_path, monkeypatch, capsys):
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

"""The page of examples/browser, built by its command, in a headless Chromium: what it computes, finds and says."""

import functools
import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer.models import BertEncoder
from keras_transformer.text import WordPieceTokenizer
from tests import made_data, made_texts
from tests.text.test_word_piece_tables import VOCABULARY

playwright = pytest.importorskip("playwright.sync_api")
text = pytest.importorskip("mediapipe.tasks.python.text")
base = pytest.importorskip("mediapipe.tasks.python")

ROOT = pathlib.Path(__file__).parents[2]
RUNTIME = ROOT / "build" / "browser-runtime" / "node_modules" / "@mediapipe" / "tasks-text"
SHIPPED = ROOT / "saved_models" / "sentence_encoder_multilingual" / "1"
TEXTS = [
    "A dog runs through the snow.", "How do I reset my password?", "The quick brown fox", "it's 3.14% of £5",
    "개가 눈 속을 달린다.", "비밀번호를 잊어버렸어요", "한국어 문장을 벡터로 바꾼다", "ㅋㅋㅋ 너무 좋아요!!",
    "서울 2024년 3월 5일",
    *made_texts.nasty(70),
]  # fmt: skip
QUERIES = {
    "en": {
        "somebody repairs a bicycle": "repairing a bicycle",
        "a nap on the sofa": "sleeping on a couch",
        "체스 두기": "playing chess",
        "die Musik": "music",
    },
    "ko": {"자전거를 고치는 사람": "자전거를 고치고", "a person takes a nap": "자고 있다", "음악 감상": "음악을 듣고"},
}


def chromium_path():
    """Of a Chromium that is installed, or `None`."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory):
    """The page with the shipped multilingual encoder, and a BERT that has weights as a training begins with."""
    if not RUNTIME.exists():
        pytest.skip(f"no {RUNTIME.relative_to(ROOT)}: make test-browser fetches it")
    folder = tmp_path_factory.mktemp("browser")
    keras.utils.set_random_seed(1)
    vocabulary = list(dict.fromkeys([*VOCABULARY, *made_data.WORDS[:6], "café"]))
    bert = BertEncoder(len(vocabulary), 2, 32, 64, 4, max_length=512, pooling=["mean", "first"])
    pipeline = keras_transformer.TextEmbedder(bert, WordPieceTokenizer(vocabulary), max_length=64)
    pipeline.save(folder / "bert.keras")
    pipeline.export(folder / "bert.tflite", format="litert")
    command = [sys.executable, "examples/browser/build.py", "--runtime", RUNTIME, "--out", folder / "page"]
    models = ["--model", "multilingual", "en,ko", SHIPPED, "--model", "bert", "en", folder / "bert.tflite"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(list(map(str, command + models)), check=True, cwd=ROOT, env=environment, timeout=500)
    return folder / "page"


@pytest.fixture(scope="module")
def pipelines(page_folder):
    """{model of the page: the pipeline in Python that was exported}."""
    sys.path.insert(0, str(ROOT / "examples" / "browser"))
    try:
        from averaging_encoder import of_saved_model
    finally:
        sys.path.pop(0)
    bert = keras_transformer.load(page_folder.parent / "bert.keras")
    return {"multilingual": of_saved_model(str(SHIPPED)), "bert": bert}


@pytest.fixture(scope="module")
def address(page_folder):
    handler = functools.partial(Quiet, directory=str(page_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        path = chromium_path()
        if path is None and not os.path.exists(started.chromium.executable_path):
            pytest.skip("no Chromium: none on the PATH, in CHROMIUM, or of `playwright install chromium`")
        browser = started.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """An empty tab of an English Chromium, in which nothing may throw."""
    context = chromium.new_context(locale="en-US", viewport={"width": 1100, "height": 900})
    tab = context.new_page()
    errors = []
    tab.on("pageerror", lambda error: errors.append(error))
    yield tab
    context.close()
    assert not errors


def open_page(tab, address):
    """Opens the page, and waits until one can type."""
    tab.goto(address)
    tab.wait_for_selector("#figures:not(:empty), #status.bad")
    assert not tab.locator("#status.bad").count(), tab.inner_text("#status")


def vectors_in(tab, model, texts):
    script = """async ([model, texts]) => {
        const {Encoder} = await import("./search.js");
        const encoder = await Encoder.load(`models/${model}.tflite`);
        const start = performance.now();
        const vectors = texts.map((text) => [...encoder.embed(text)]);
        const milliseconds = (performance.now() - start) / texts.length;
        encoder.close();
        return [vectors, milliseconds];
    }"""
    vectors, milliseconds = tab.evaluate(script, [model, texts])
    print(f"{model}: {milliseconds:.2f} ms a text in this browser")
    return np.array(vectors, np.float32)


def vectors_of_mediapipe(path, texts):
    options = text.TextEmbedderOptions(base_options=base.BaseOptions(model_asset_path=str(path)))
    with text.TextEmbedder.create_from_options(options) as embedder:
        return np.array([embedder.embed(one).embeddings[0].embedding for one in texts])


@pytest.mark.filterwarnings("ignore:.*max_length=")
@pytest.mark.parametrize(("model", "dtype"), [("multilingual", "int8"), ("bert", "float32")])
def test_vectors_are_those_of_python(model, dtype, tab, address, page_folder, pipelines):
    open_page(tab, address)
    found = vectors_in(tab, model, TEXTS)
    path = page_folder / "models" / f"{model}.tflite"
    for same_file in (keras_transformer.load(path).embed(TEXTS), vectors_of_mediapipe(path, TEXTS)):
        print(f"{dtype}: off from Python's runtime by at most {np.max(np.abs(found - same_file)):.1e}")
        np.testing.assert_allclose(found, same_file, atol=1e-5)
    expected = pipelines[model].embed(TEXTS)
    if dtype == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-5)
        return
    has_tokens = np.any(expected, axis=1)
    np.testing.assert_array_equal(np.any(found, axis=1), has_tokens)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = np.sum(found * expected, axis=1)[has_tokens] / lengths[has_tokens]
    print(f"{dtype}: cosine with the pipeline at least {np.min(cosines):.6f}")
    assert np.min(cosines) > 0.999


def test_half_of_a_surrogate_pair_and_a_zero_byte_are_text(tab, address):
    open_page(tab, address)
    script = """async () => {
        const {Encoder} = await import("./search.js");
        const encoder = await Encoder.load("models/multilingual.tflite");
        return ["a dog \\ud83d", "a dog \\ufffd", "a\\0dog", "a dog"].map((text) => [...encoder.embed(text)]);
    }"""
    half, replaced, with_zero, without = np.array(tab.evaluate(script))
    np.testing.assert_array_equal(half, replaced)
    np.testing.assert_array_equal(with_zero, without)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_finds_while_one_types(language, tab, address, page_folder):
    sentences = tab.request.get(address + "sentences.json").json()
    assert [len(set(sentences[name])) for name in ("en", "ko")] == [1000, 1000]
    embedder = keras_transformer.load(page_folder / "models" / "multilingual.tflite")
    vectors = embedder.embed(sentences[language])
    open_page(tab, f"{address}?language={language}")
    for query, expected in QUERIES[language].items():
        tab.locator("#query").press_sequentially(query)
        scores = vectors @ embedder.embed([query])[0]
        order = np.argsort(-scores)[:10]
        first = tab.locator("#results .sentence").first
        playwright.expect(first).to_have_text(sentences[language][order[0]])
        found = tab.locator("#results .sentence").all_inner_texts()
        assert any(expected in sentence for sentence in found[:3]), found[:3]
        assert len(found) == 10
        shown = np.array(tab.locator("#results .score").all_inner_texts(), float)
        np.testing.assert_allclose(shown, scores[order], atol=2e-3)
        other = {"en": "ko", "ko": "en"}[language]
        assert tab.locator("#results .translation").first.inner_text() == sentences[other][order[0]]
        tab.fill("#query", "")
        playwright.expect(tab.locator("#results li")).to_have_count(0)


def test_a_model_is_chosen(tab, address):
    open_page(tab, f"{address}?model=bert")
    assert tab.locator("#searched").is_hidden()
    assert "vectors of 64 numbers" in tab.inner_text("#figures")
    tab.select_option("#model", "multilingual")
    tab.wait_for_url("**/?model=multilingual")
    tab.wait_for_selector("#query:enabled")
    tab.fill("#query", "a cat")
    tab.locator("#results li").first.wait_for()
    tab.select_option("#searched", "ko")
    playwright.expect(tab.locator("#results .sentence").first).to_contain_text("고양이")


def test_speaks_two_languages(tab, address):
    open_page(tab, address)
    names = tab.evaluate(
        "import('./labels.js').then(({LABELS}) => ['en', 'ko'].map((language) => Object.keys(LABELS[language])))"
    )
    assert names[0] == names[1]
    assert tab.inner_text("h1") == "Search by meaning"
    assert "1,000 sentences" in tab.inner_text("#status")
    tab.click("#language")
    assert tab.inner_text("h1") == "뜻으로 찾기"
    assert tab.get_attribute("html", "lang") == "ko"
    assert "문장 1,000개" in tab.inner_text("#status")
    tab.locator("#suggestions button").first.click()
    playwright.expect(tab.locator("#status")).to_contain_text("벡터")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_fits_a_phone(language, tab, address):
    tab.set_viewport_size({"width": 320, "height": 640})
    open_page(tab, f"{address}?language={language}")
    tab.fill("#query", "a very long text of many words without an end " * 5)
    tab.locator("#results li").first.wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") == 320


def test_asks_no_other_server(tab, address):
    asked = []
    tab.context.on("request", lambda request: asked.append(request.url))
    tab.clock.install()
    open_page(tab, address)
    tab.fill("#query", "a dog")
    tab.locator("#results li").first.wait_for()
    blocked = "new Promise((done) => addEventListener('securitypolicyviolation', (event) => done(event.blockedURI)))"
    tab.evaluate(f"window.blocked = {blocked}")
    tab.clock.run_for(120_000)  # MediaPipe's runtime reports each minute
    assert tab.evaluate("window.blocked").startswith("https://")
    assert len(asked) > 8 and all(url.startswith((address, "data:")) for url in asked)


def failure(tab, address):
    tab.goto(address)
    tab.wait_for_selector("#status.bad")
    assert tab.locator("#progress").is_hidden() and not tab.locator("#results li").count()
    return tab.inner_text("#status")


def test_says_what_is_wrong(tab, address):
    model = "**/models/multilingual.tflite"
    tab.route(model, lambda route: route.fulfill(status=404))
    assert "Expected the file models/multilingual.tflite on the server. Received: 404" in failure(tab, address)
    assert failure(tab, f"{address}?language=ko").startswith("작동하지 않았습니다. Expected")
    tab.route(model, lambda route: route.abort())
    assert "Received no answer" in failure(tab, address)
    tab.route(model, lambda route: route.fulfill(body="version https://git-lfs.github.com/spec/v1"))
    assert "Expected a model of LiteRT" in failure(tab, address)
    tab.unroute(model)
    tab.route("**/models/*.en.f32", lambda route: route.fulfill(body=b"\0" * 384 * 4))
    assert "Expected 1000 vectors in models/multilingual.en.f32. Received: 1" in failure(tab, address)
    assert "Expected one of the models multilingual, bert. Received: other" in failure(tab, f"{address}?model=other")
    tab.add_init_script("delete window.WebAssembly")
    assert "Expected a browser with WebAssembly" in failure(tab, address)


def test_says_that_it_needs_a_server(tab, page_folder):
    tab.goto(f"file://{page_folder}/index.html")
    assert "comes from a web server" in tab.inner_text("#status")


def test_the_builder_refuses_what_does_not_fit(tmp_path, write_lines):
    def error(*options):
        command = [sys.executable, "examples/browser/build.py", "--runtime", "no", "--out", str(tmp_path / "out")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command + list(options), capture_output=True, text=True, cwd=ROOT, env=environment)
        assert done.returncode == 1 and not (tmp_path / "out").exists()
        return done.stderr

    own = str(write_lines("own.tsv", ["en\tko", "A dog\t개"]))
    assert "languages of the sentences, en, ko, for mine. Received: {'de'}" in error(
        "--sentences", own, "--model", "mine", "de", "mine.tflite"
    )
    torn = str(write_lines("torn.tsv", ["en\tko", "A dog"]))
    assert "Expected columns ['en', 'ko']" in error("--sentences", torn)

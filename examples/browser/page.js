/** The page: settings.json says which models and vectors there are; ?model=NAME chooses one. */

import {LABELS} from "./labels.js";
import {Encoder, fetchJson, fetchVectors, nearest} from "./search.js";

const RESULTS = 10;
const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((found) => [found.id, found]));
const address = new URL(location.href);
const stored = address.searchParams.get("language") ?? navigator.language.slice(0, 2);
let labels = LABELS[stored] ?? LABELS.en;
let sentences, model, encoder, searched, vectors;
const times = {load: 0, embed: 0, search: 0};

function say(text, isBad = false) {
  element.status.textContent = text;
  element.status.classList.toggle("bad", isBad);
}

function showLabels() {
  document.documentElement.lang = labels.language;
  document.title = labels.title;
  for (const labelled of document.querySelectorAll("[data-label]")) {
    labelled.textContent = labels[labelled.dataset.label];
  }
  element.query.placeholder = labels.placeholder;
  element.language.textContent = labels.other;
  element.language.lang = labels.otherLanguage;
  element.suggestions.replaceChildren(
    ...labels.suggestions.map((text) => {
      const button = Object.assign(document.createElement("button"), {type: "button", textContent: text});
      button.addEventListener("click", () => ((element.query.value = text), search()));
      return button;
    }),
  );
  for (const option of element.searched.options) option.textContent = labels.languages[option.value] ?? option.value;
}

function options(select, values, chosen) {
  select.replaceChildren(...values.map((value) => new Option(labels.languages[value] ?? value, value)));
  select.value = chosen;
  select.parentElement.hidden = values.length < 2;
}

function result([row, score]) {
  const item = document.createElement("li");
  const part = (name, className, content) => {
    item.append(Object.assign(document.createElement(name), {className, ...content}));
    return item.lastChild;
  };
  part("span", "sentence", {textContent: sentences[searched][row]}).lang = searched;
  part("span", "score", {textContent: score.toFixed(3)});
  for (const language of Object.keys(sentences)) {
    if (language !== searched) part("span", "translation", {textContent: sentences[language][row]}).lang = language;
  }
  part("span", "bar").style.setProperty("--score", `${100 * Math.max(0, score)}%`);
  return item;
}

/** Shows what is nearest to the text of the field. */
function search() {
  const text = element.query.value;
  if (!encoder || !vectors) return;
  try {
    const start = performance.now();
    const query = encoder.embed(text);
    times.embed = performance.now() - start;
    const found = nearest(query, vectors, RESULTS);
    times.search = performance.now() - start - times.embed;
    const isEmpty = query.every((number) => number === 0);
    element.results.replaceChildren(...(isEmpty ? [] : found.map(result)));
    say(isEmpty ? labels.ready(sentences[searched].length) : labels.times(times));
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  element.progress.hidden = true;
  element.results.replaceChildren();
  say(labels.failed(error.message), true);
  console.error(error);
}

/** Takes the vectors of the sentences of a language. */
async function searchIn(language) {
  vectors = undefined;
  searched = language;
  const path = model.vectors[language];
  const fetched = await fetchVectors(path, model.dim);
  const count = sentences[language].length;
  if (fetched.length !== count * model.dim) {
    throw new Error(`Expected ${count} vectors in ${path}. Received: ${fetched.length / model.dim}`);
  }
  if (searched !== language) return; // another was chosen meanwhile
  vectors = fetched;
  search();
}

async function main() {
  showLabels();
  say(labels.loading(0, 0));
  const settings = await fetchJson("settings.json");
  sentences = await fetchJson(settings.sentences);
  const name = address.searchParams.get("model") ?? settings.models[0].name;
  const names = settings.models.map((one) => one.name);
  model = settings.models.find((one) => one.name === name);
  if (!model) throw new Error(`Expected one of the models ${names.join(", ")}. Received: ${name}`);
  options(element.model, names, name);
  const languages = Object.keys(model.vectors);
  options(element.searched, languages, languages.includes(labels.language) ? labels.language : languages[0]);

  const start = performance.now();
  element.progress.hidden = false;
  element.progress.max = model.bytes;
  encoder = await Encoder.load(model.file, (size) => {
    element.progress.value = size;
    say(labels.loading(size, model.bytes));
  });
  encoder.embed(""); // the first call takes longer
  times.load = performance.now() - start;
  element.progress.hidden = true;
  element.query.disabled = false;
  element.query.focus();
  await searchIn(element.searched.value);
  element.figures.textContent = labels.figures(model, times);
}

let isWaiting = false;
element.query.addEventListener("input", () => {
  if (isWaiting) return; // several keys in one frame are one search
  isWaiting = true;
  requestAnimationFrame(() => ((isWaiting = false), search()));
});
element.searched.addEventListener("change", () => searchIn(element.searched.value).catch(fail));
element.model.addEventListener("change", () => {
  address.searchParams.set("model", element.model.value);
  location.assign(address);
});
element.language.addEventListener("click", () => {
  labels = LABELS[labels.otherLanguage];
  showLabels();
  search();
  if (model) element.figures.textContent = labels.figures(model, times);
});
main().catch(fail);

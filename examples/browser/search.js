/** Sentence vectors in the browser, and the nearest of many. Nothing here knows of the page. */

import {FilesetResolver, TextEmbedder} from "./runtime/text_bundle.mjs";

const RUNTIME = new URL("./runtime/wasm", import.meta.url).href;

/** The content of a file beside the page, as bytes. `onProgress` gets the number of bytes that have come. */
export async function fetchBytes(path, onProgress = () => {}) {
  let response;
  try {
    response = await fetch(new URL(path, import.meta.url));
  } catch (error) {
    throw new Error(`Expected the file ${path} on the server. Received no answer (${error.message})`);
  }
  if (!response.ok) throw new Error(`Expected the file ${path} on the server. Received: ${response.status}`);
  const chunks = [];
  let size = 0;
  for (let reader = response.body.getReader(); ; ) {
    const {done, value} = await reader.read();
    if (done) break;
    chunks.push(value);
    onProgress((size += value.length));
  }
  const bytes = new Uint8Array(size);
  chunks.reduce((start, chunk) => (bytes.set(chunk, start), start + chunk.length), 0);
  return bytes;
}

/** The content of a JSON file beside the page. */
export async function fetchJson(path) {
  return JSON.parse(new TextDecoder().decode(await fetchBytes(path)));
}

/** An encoder: a .tflite file of `keras-transformer export --format litert` in MediaPipe's runtime. */
export class Encoder {
  /** Loads the file at `path`. */
  static async load(path, onProgress) {
    if (typeof WebAssembly !== "object") throw new Error("Expected a browser with WebAssembly. Received one without");
    const model = await fetchBytes(path, onProgress);
    // A server may answer with a page of its own, or with the pointer of a file that Git LFS keeps.
    if (String.fromCharCode(...model.subarray(4, 8)) !== "TFL3") {
      const beginning = new TextDecoder().decode(model.subarray(0, 40));
      throw new Error(`Expected a model of LiteRT in ${path}. Received: ${JSON.stringify(beginning)}`);
    }
    const runtime = await FilesetResolver.forTextTasks(RUNTIME);
    return new Encoder(await TextEmbedder.createFromModelBuffer(runtime, model));
  }

  constructor(embedder) {
    this.embedder = embedder;
  }

  /** The vector of a text, a Float32Array (D,). Zeros for a text without tokens. */
  embed(text) {
    // Half of a surrogate pair is no character, and a zero byte would end the text.
    const wellFormed = new TextDecoder().decode(new TextEncoder().encode(text)).replaceAll("\0", " ");
    return Float32Array.from(this.embedder.embed(wellFormed).embeddings[0].floatEmbedding);
  }

  close() {
    this.embedder.close();
  }
}

/** The `count` rows of `vectors` (N * D,) with the highest inner products with `query` (D,): [[row, score], ...]. */
export function nearest(query, vectors, count) {
  const scores = [];
  for (let row = 0; row * query.length < vectors.length; row++) {
    let score = 0;
    for (let i = 0, j = row * query.length; i < query.length; i++, j++) score += query[i] * vectors[j];
    scores.push([row, score]);
  }
  return scores.sort((a, b) => b[1] - a[1]).slice(0, count);
}

/** The numbers of a file, a Float32Array (N * `width`,). */
export async function fetchVectors(path, width) {
  const bytes = await fetchBytes(path);
  if (bytes.length === 0 || bytes.length % (4 * width)) {
    throw new Error(`Expected rows of ${width} numbers of 4 bytes in ${path}. Received: ${bytes.length} bytes`);
  }
  return new Float32Array(bytes.buffer);
}

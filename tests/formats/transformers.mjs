// Vectors of texts by transformers.js: node transformers.mjs FOLDER/MODEL texts.json found.json
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [model, texts, found] = process.argv.slice(2);
const require = createRequire(path.join(process.env.NODE_PATH, 'any.js'));
const { AutoModel, AutoTokenizer, env } = await import(pathToFileURL(require.resolve('@huggingface/transformers')));
env.allowRemoteModels = false;
env.localModelPath = path.dirname(model);
const name = path.basename(model);
const tokenizer = await AutoTokenizer.from_pretrained(name);
const encoder = await AutoModel.from_pretrained(name, { dtype: 'fp32' });
const vectors = [];
for (const text of JSON.parse(fs.readFileSync(texts))) {
  const inputs = await tokenizer([text], { padding: true, truncation: true });
  vectors.push((await encoder(inputs)).sentence_embedding.tolist()[0]);
}
fs.writeFileSync(found, JSON.stringify(vectors));

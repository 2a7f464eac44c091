"""Embeds the texts of many files with Apache Beam: lines, JSON lines or Parquet in, Parquet out.

python examples/beam/embed_texts.py --model saved_models/sentence_encoder_en/2 --input 'texts-*.txt.gz' --output vectors

Other options are Beam's own, and say where it runs: docs/beam.md.
"""

# The extra "beam" need not be installed where types are checked.
# pyright: reportMissingImports=false

import argparse
import json
import reprlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from keras_transformer.beam import DeadLetter, EmbedText

FORMATS = {".parquet": "parquet", ".jsonl": "jsonl", ".jsonl.gz": "jsonl"}
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("embedding", pa.list_(pa.float32()))])


def parse(line: bytes, text_field: str, id_field: str | None) -> Iterator[Any]:
    """Yields (id, text) of a line of JSON, or a dead letter."""
    try:
        record = json.loads(line)
        yield keyed(record, text_field, id_field)
    except (ValueError, TypeError, KeyError) as error:
        reason = f"Expected a JSON object with {text_field!r}. Received: {reprlib.repr(line)} ({error!r})"
        yield beam.pvalue.TaggedOutput("bad", DeadLetter(line, reason))


def keyed(record: dict[str, Any], text_field: str, id_field: str | None) -> tuple[str | None, Any]:
    text = record[text_field]
    if isinstance(text, str):  # JSON may hold lone surrogates, which Beam cannot carry: they become a dead letter
        text = text.encode("utf-8", "surrogatepass")
    return None if id_field is None else str(record[id_field]), text


def read(pipeline: beam.Pipeline, args: argparse.Namespace) -> tuple[Any, list[Any]]:
    """Returns a PCollection of (id, text), and those of dead letters."""
    found = next((FORMATS[ending] for ending in FORMATS if args.input.endswith(ending)), "text")
    fields = (args.text_field, args.id_field)
    if found == "parquet":
        columns = [field for field in fields if field]
        records = pipeline | beam.io.ReadFromParquet(args.input, columns=columns)
        return records | "Keyed" >> beam.Map(keyed, *fields), []
    # Bytes, so that a line that is no UTF-8 is a dead letter instead of the end of the job.
    lines = pipeline | beam.io.ReadFromText(args.input, coder=beam.coders.BytesCoder())
    if found == "text":
        return lines | "Keyed" >> beam.Map(lambda line: (None, line)), []
    parsed = lines | beam.FlatMap(parse, *fields).with_outputs("bad", main="good")
    return parsed.good, [parsed.bad]


def row(key: str | None, result: Any) -> dict[str, Any]:
    return {"id": key, "text": result.example, "embedding": result.inference}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="an exported embedder, at this path on every worker")
    parser.add_argument(
        "--input", required=True, help="files or a pattern: .parquet, .jsonl, .jsonl.gz, or lines of text"
    )
    parser.add_argument("--output", required=True, help="the beginning of the names of the Parquet files")
    parser.add_argument("--text-field", default="text", help="of JSON lines and Parquet (%(default)s)")
    parser.add_argument("--id-field", help="of JSON lines and Parquet; kept, as a string")
    parser.add_argument("--batch-size", type=int, default=32, help="texts embedded at once (%(default)s)")
    args, beam_options = parser.parse_known_args()
    with beam.Pipeline(options=PipelineOptions(beam_options)) as pipeline:
        texts, bad = read(pipeline, args)
        # One large file is read by one worker; its texts go to all.
        embedded = texts | beam.Reshuffle() | EmbedText(args.model, args.batch_size)
        rows = embedded.results | "Row" >> beam.MapTuple(row)
        _ = rows | "Vectors" >> beam.io.WriteToParquet(args.output, SCHEMA, file_name_suffix=".parquet")
        letters = (*bad, embedded.dead_letters) | beam.Flatten()
        reasons = letters | beam.Map(
            lambda letter: json.dumps({"element": repr(letter.element), "reason": letter.reason})
        )
        _ = reasons | "Reasons" >> beam.io.WriteToText(f"{args.output}-dead-letters", file_name_suffix=".jsonl")
    for counter in pipeline.result.metrics().query(
        beam.metrics.MetricsFilter().with_namespace("keras_transformer.EmbedText")
    )["counters"]:
        print(counter.key.metric.name, counter.committed)


if __name__ == "__main__":
    main()

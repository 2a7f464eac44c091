"""keras-transformer search: finds the texts of an index by what they mean."""

import argparse
import itertools
import json
import os
import sys
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models, standard_streams
from keras_transformer.cli.once import Once
from keras_transformer.cli.texts import check_texts
from keras_transformer.pipelines.model_paths import EMBEDDER, PAIR_SCORER, find_model
from keras_transformer.search.names import EXTRA

_QUERIES_AT_ONCE = 32
_CANDIDATES = 50


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "search",
        help="find texts by what they mean",
        description="Prints the texts of an INDEX, which `keras-transformer index` wrote, that are most alike to each "
        "QUERY, or to each line of standard input: lines of query, rank, score and text with tabs between them.",
    )
    parser.set_defaults(check=check, run=run, last_argument="queries")
    parser.add_argument("index", metavar="INDEX", help="the file")
    parser.add_argument("queries", nargs="*", metavar="QUERY", help="what to search for")
    parser.add_argument(
        "--model", action=Once, help=f"{models.EMBEDDER_HELP}; by default the one that the index was made with"
    )
    parser.add_argument("--top-k", type=int, default=10, help="texts for each query (%(default)s)")
    parser.add_argument(
        "--jsonl", action="store_true", help='print {"query": ..., "hits": [{"id", "score", "text"}, ...]} instead'
    )
    parser.add_argument("--exact", action="store_true", help="look at all texts of an --approximate index")
    parser.add_argument(
        "--hybrid", action="store_true", help=f"merge the ranking with that of BM25, by shared words ({EXTRA})"
    )
    parser.add_argument(
        "--rerank",
        action=Once,
        metavar="SCORER",
        help=f"rank the best texts anew by a cross-encoder, with its scores: {models.PAIR_SCORER_HELP}",
    )
    parser.add_argument(
        "--candidates", type=int, metavar="N", help=f"so many texts for --rerank to read ({_CANDIDATES})"
    )


def check(args: argparse.Namespace) -> None:
    if not os.path.isfile(args.index):
        raise FileNotFoundError(f"Expected an index. Received: {args.index}, which is no file")
    check_texts("QUERY", args.queries)
    if not args.queries:
        standard_streams.check_input("QUERYs")
    standard_streams.check_output()
    arguments.positive_integer("--top-k", args.top_k)
    if args.exact and args.hybrid:
        raise ValueError("Expected one of --exact and --hybrid. Received both")
    arguments.optional_positive_integer("--candidates", args.candidates)
    if args.candidates and not args.rerank:
        raise ValueError("Expected --candidates with --rerank only. Received no --rerank")
    if args.model:
        find_model(args.model, EMBEDDER)
    if args.rerank:
        find_model(args.rerank, PAIR_SCORER)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import decoded_lines
    from keras_transformer.pipelines import load_embedder
    from keras_transformer.search import HybridIndex, SemanticIndex

    path = args.model or SemanticIndex.load(args.index).model
    if path is None:
        raise ValueError(f"Expected --model, since the index does not name one. Received: {args.index} alone")
    index = SemanticIndex.load(args.index, load_embedder(models.newest(path, EMBEDDER)))
    search = HybridIndex(index).search if args.hybrid else lambda *given: index.search(*given, exact=args.exact)
    if args.rerank:
        search = _reranked(args, search)
    queries = iter(args.queries or decoded_lines(sys.stdin.buffer, "standard input"))
    # Whoever types wants an answer to each line.
    at_once = 1 if not args.queries and sys.stdin.isatty() else _QUERIES_AT_ONCE
    while some := list(itertools.islice(queries, at_once)):
        for query, hits in zip(some, search(some, args.top_k)):
            for line in _json_lines(query, hits) if args.jsonl else _ranked_lines(query, hits):
                sys.stdout.buffer.write(f"{line}\n".encode())
        sys.stdout.buffer.flush()


def _reranked(args, search):
    """`search`, of whose best texts a scorer says which are."""
    from keras_transformer.pipelines import load_pair_scorer
    from keras_transformer.pipelines.pair_scoring import check_one_score
    from keras_transformer.search import rerank

    scorer = load_pair_scorer(models.newest(args.rerank, PAIR_SCORER))
    check_one_score(scorer)
    candidates = args.candidates or _CANDIDATES
    return lambda queries, top_k: rerank(queries, search(queries, max(top_k, candidates)), scorer, top_k)


def _json_lines(query, hits):
    found = [{"id": hit.id, "score": round(hit.score, 6), "text": hit.text} for hit in hits]
    yield json.dumps({"query": query, "hits": found}, ensure_ascii=False)


def _ranked_lines(query, hits):
    for rank, hit in enumerate(hits, start=1):
        yield f"{query}\t{rank}\t{hit.score:.4f}\t{hit.text}"

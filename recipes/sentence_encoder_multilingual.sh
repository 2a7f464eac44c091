#!/usr/bin/env bash
# A sentence encoder of English, Korean, German, French, Spanish, Japanese and Chinese that may be used commercially,
# from its data to its figures: texts and their translations, the teacher's vectors of the English ones, least squares,
# an export, an evaluation. What is there already is not made again.
#
#   make recipe NAME=sentence_encoder_multilingual DATA=permissive DEV=development ENGLISH=encoders OUT=multilingual
#
# DATA: the folder whose files sentence_encoder_multilingual.sha256 lists. DEV: a folder with stsb.dev.tsv,
# stsb.dev.{de,fr,es,ja,zh}.tsv.gz and korsts.dev.tsv.gz (the STS benchmark's development set and its translations);
# none of it is trained on. ENGLISH: what the recipe sentence_encoder_en wrote; its texts, vectors and teacher serve.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${DATA:?the folder of the training data}" "${DEV:?the folder of the development sets}"
: "${ENGLISH:?the folder that the recipe sentence_encoder_en wrote}" "${OUT:?the folder to write}"
mkdir -p "$OUT"
checksums=$here/sentence_encoder_multilingual.sha256
sha256=(sha256sum)
command -v sha256sum > /dev/null || sha256=(shasum -a 256)  # macOS
(cd "$DATA" && "${sha256[@]}" --check --quiet "$checksums")

[ -e "$OUT/texts.txt" ] || python "$here/multilingual_texts.py" collect --data "$DATA" --english "$ENGLISH/texts.txt" \
    --held-out "$DATA"/parallel/ko-en.dev{.tsv.gz,.stylekqc.tsv} "$DEV"/{stsb.dev.tsv,korsts.dev.tsv.gz} \
    "$DEV"/stsb.dev.{de,fr,es,ja,zh}.tsv.gz --out "$OUT"

# English sentences that the English recipe has no vectors of.
if [ ! -e "$OUT/english.npy" ]; then
    tail -n "+$(($(wc -l < "$ENGLISH/texts.txt") + 1))" "$OUT/english.txt" > "$OUT/english.more.txt"
    [ -e "$OUT/english.more.npy" ] || keras-transformer embed --model "$ENGLISH/teacher" --batch-size 512 \
        --processes 2 --output "$OUT/english.more.npy" "$OUT/english.more.txt"
    python -c 'import sys, numpy as np
np.save(sys.argv[1], np.concatenate([np.asarray(np.load(path, mmap_mode="r"), "float16") for path in sys.argv[2:]]))' \
        "$OUT/english.npy" "$ENGLISH/vectors.npy" "$OUT/english.more.npy"
fi
[ -e "$OUT/vectors.npy" ] || python "$here/multilingual_texts.py" spread --vectors "$OUT/english.npy" --folder "$OUT"

# Steps so small that what least squares computed stays as it is.
keras-transformer train embedder --teacher "$OUT/texts.txt" "$OUT/vectors.npy" --teacher-similarities 4 \
    --teacher-prefixes 64 128 --least-squares-start --encoder averaging --subwords unigram --vocabulary-size 52000 \
    --hidden-dim 384 --output-dim 384 --token-weights --num-bigram-buckets 0 --word-dropout 0 --dropout 0.05 \
    --batch-size 512 --steps 200 --evaluation-steps 100 --ema 0.99 --schedule linear --learning-rate 1e-6 \
    --warmup-steps 100 --dtype mixed_bfloat16 --out "$OUT/encoder"

[ -e "$OUT/encoder/export" ] ||
    keras-transformer export --model "$OUT/encoder" --int8-embeddings --out "$OUT/encoder/export"
for language in en ko de fr es ja zh; do
    case $language in
        en) file=stsb.dev.tsv ;;
        ko) file=korsts.dev.tsv.gz ;;
        *) file=stsb.dev.$language.tsv.gz ;;
    esac
    keras-transformer evaluate embedder --model "$OUT/encoder/export" --similarity "$DEV/$file"
done
for name in ko-en.dev.tsv.gz ko-en.dev.stylekqc.tsv; do
    case $name in *.gz) show=(gzip -dc) ;; *) show=(cat) ;; esac
    "${show[@]}" "$DATA/parallel/$name" | cut -f 3,4 > "$OUT/${name%.gz}"
    keras-transformer evaluate embedder --model "$OUT/encoder/export" --retrieval "$OUT/${name%.gz}"
done

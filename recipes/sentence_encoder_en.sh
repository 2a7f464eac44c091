#!/usr/bin/env bash
# English sentence encoders that may be used commercially, from their data to their figures: texts, the teacher's
# vectors, two trainings, two exports, two evaluations. What is there already is not made again, and a training that was
# killed resumes.
#
#   make recipe NAME=sentence_encoder_en DATA=permissive DEV=development TEACHER=all-mpnet-base-v2 OUT=encoders
#
# DATA: the folder whose files sentence_encoder_en.sha256 lists. DEV: a folder with stsb.dev.tsv (the STS benchmark's
# development set), mr.tsv.gz, trec.train.tsv and trec.test.tsv; none of it is trained on. TEACHER: the folder of
# sentence-transformers/all-mpnet-base-v2 (Apache 2.0).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${DATA:?the folder of the training data}" "${DEV:?the folder of the development sets}"
: "${TEACHER:?the folder of all-mpnet-base-v2}" "${OUT:?the folder to write}"
mkdir -p "$OUT"
checksums=$here/sentence_encoder_en.sha256
sha256=(sha256sum)
command -v sha256sum > /dev/null || sha256=(shasum -a 256)  # macOS
(cd "$DATA" && "${sha256[@]}" --check --quiet "$checksums")

[ -e "$OUT/texts.txt" ] || python "$here/english_texts.py" --data "$DATA" --out "$OUT/texts.txt" \
    --held-out "$DEV"/{stsb.dev.tsv,mr.tsv.gz,trec.test.tsv} "$DATA/classify/clinc150.dev.tsv.gz"

# The teacher in int8, calibrated on the first texts.
[ -e "$OUT/teacher.keras" ] || keras-transformer convert "$TEACHER" --out "$OUT/teacher.keras"
if [ ! -e "$OUT/teacher" ]; then
    head -n 500 "$OUT/texts.txt" > "$OUT/calibration.txt"
    keras-transformer export --model "$OUT/teacher.keras" --out "$OUT/teacher" --frozen --dtype int8 \
        --calibrate "$OUT/calibration.txt"
fi
# Two processes, since int8 uses one core.
if [ ! -e "$OUT/vectors.npy" ]; then
    half=$((($(wc -l < "$OUT/texts.txt") + 1) / 2))
    head -n "$half" "$OUT/texts.txt" > "$OUT/texts.1.txt"
    tail -n "+$((half + 1))" "$OUT/texts.txt" > "$OUT/texts.2.txt"
    jobs=()
    for part in 1 2; do
        [ -e "$OUT/vectors.$part.npy" ] || keras-transformer embed --model "$OUT/teacher" --batch-size 512 \
            --output "$OUT/vectors.$part.npy" "$OUT/texts.$part.txt" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job"; done
    python -c 'import sys, numpy as np; np.save(sys.argv[1], np.concatenate([np.load(path) for path in sys.argv[2:]]))' \
        "$OUT/vectors.npy" "$OUT"/vectors.[12].npy
fi

# The last evaluation of the first counts, and the best of the second: from some hundred steps on the similarity is
# where it stays, while classification gains.
teach=(--teacher "$OUT/texts.txt" "$OUT/vectors.npy" --teacher-similarities 4 --teacher-prefixes 64 128
    --least-squares-start --token-weights --vocabulary-size 30000 --hidden-dim 384 --output-dim 384
    --schedule linear --learning-rate 1e-3 --warmup-steps 100 --dtype mixed_bfloat16)
keras-transformer train embedder "${teach[@]}" --preset small --num-layers 2 --num-heads 6 --intermediate-dim 640 \
    --norm-first --dropout 0 --batch-size 256 --steps 2200 --evaluation-steps 200 --ema 0.998 --out "$OUT/encoder"
keras-transformer train embedder "${teach[@]}" --encoder averaging --subwords unigram --num-bigram-buckets 0 \
    --word-dropout 0 --dropout 0.05 --batch-size 512 --steps 3000 --evaluation-steps 250 --ema 0.99 \
    --validation "$DEV/stsb.dev.tsv" --out "$OUT/lite"

for name in encoder lite; do
    [ -e "$OUT/$name/export" ] || keras-transformer export --model "$OUT/$name" --int8-embeddings \
        --out "$OUT/$name/export"
    keras-transformer evaluate embedder --model "$OUT/$name/export" --similarity "$DEV/stsb.dev.tsv" \
        --classification "$DEV/mr.tsv.gz" --classification "$DEV/trec.train.tsv" "$DEV/trec.test.tsv" \
        --classification "$DATA/classify/clinc150.train.tsv.gz" "$DATA/classify/clinc150.dev.tsv.gz"
done

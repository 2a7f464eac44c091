"""How fast is this library beside the others? One file a question; `python -m benchmarks` asks them all."""

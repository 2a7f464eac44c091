"""The library's speed and memory beside other libraries'. One file per benchmark; `python -m benchmarks` runs all."""

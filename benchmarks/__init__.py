"""The benchmarks behind the README's figures: `make bench`."""

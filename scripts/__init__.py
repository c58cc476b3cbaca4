"""Commands that the Makefile calls, each a thin ``main()`` over functions of the library; bench/ holds the benchmarks."""

"""`python -m jiko_pipeline` is the `jiko` command."""

from jiko_pipeline.cli.main import main

if __name__ == "__main__":
    main()

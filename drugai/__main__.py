"""``python -m drugai``: the command line where the script ``drugai`` is not on the path."""

from drugai.cli import main

if __name__ == "__main__":
    main()

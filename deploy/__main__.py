"""`python -m deploy` is `flotilla`."""

from deploy.cli import main

if __name__ == "__main__":
    main()

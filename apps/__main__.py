"""The command line: ``python -m apps <application> <verb>``."""

from apps.shared.main import run

if __name__ == "__main__":
    run()

"""The command line, one module an application. Nothing heavy is imported before a verb runs."""

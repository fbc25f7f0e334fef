"""What every application uses: command-line helpers, results, reports, page pieces."""

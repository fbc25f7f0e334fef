"""The pages of the web front end: widgets, one call into an application, pictures."""

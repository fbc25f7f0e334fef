"""Reviews: classifiers of documents."""

"""Record to document, document to every format."""

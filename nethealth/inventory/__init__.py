"""Text to councils, sites, assets and lines, with every error and the line it stands on."""

"""The click front end; each command's own imports are made when it is called."""

"""One module for each command of the command line; `command` in it is the command."""

"""Runs folders of recorded cases (inputs that break tools, with the right answers) through the real code."""

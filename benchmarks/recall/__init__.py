"""A simulated week: what share of all articles does each schedule see, how late, and with how many polls?"""

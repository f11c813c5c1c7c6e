"""Collects: discovery, the Scrapy spider, politeness and the address guard; ends with raw bytes and a row."""

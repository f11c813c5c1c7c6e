"""The whole crawl beside bare Scrapy, on the same small sites."""

"""Is it polite? Many sites on loopback keep their own logs of what eight crawl processes at once do to them."""

"""The dashboard and the API on a store of a million articles: how long each page takes."""

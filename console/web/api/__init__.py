"""The API for programs: one module for each noun, each with its routes."""

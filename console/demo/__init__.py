"""The invented newsroom that `copydesk demo` crawls and the test-suite uses as its fixture."""

"""Does anything get lost? Sites publish, everything that can die dies at random, and the store is held against them."""

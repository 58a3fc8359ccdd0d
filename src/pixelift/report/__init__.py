"""A prepared set as one page to look at: what training will see, what it will not, and why."""

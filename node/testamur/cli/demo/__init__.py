"""``testamur demo``: the main job with real processes, told as the people who do it see it."""

"""`unrolled train`: networks and baselines on a learner's own text or labelled file, and a report of one HTML file."""

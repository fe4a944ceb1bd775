"""What a learner wrote becomes theirs: a package of their own, milestones run on it, reviews of quizzes, a deck of cards, a portfolio."""

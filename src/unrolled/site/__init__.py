"""What the book's pages get from Sphinx, one file a duty."""

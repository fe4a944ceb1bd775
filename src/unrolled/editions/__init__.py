"""The book in other languages: sources are cut into messages, catalogues hold their translations, and a tree of translated sources is built."""

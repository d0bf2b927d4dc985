-- What share of its visible tests an answer passes may break ties between genomes.
ALTER TABLE cells ADD COLUMN shown REAL;

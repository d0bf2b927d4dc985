-- How long a pipeline takes on a problem is told with its tokens.
ALTER TABLE cells ADD COLUMN seconds REAL;

-- One run, schema 5. `key` columns are SHA-256 of everything the row depends on.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Weights that were called, by the name they had then.
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (name, digest)
);

-- A draw: what was asked of a model (JSON, zlib), for what (NULL: see the seed in the request), and what it answered;
-- rows in the order in which they were paid for.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    model INTEGER NOT NULL REFERENCES models (id),
    problem TEXT NOT NULL,
    role TEXT NOT NULL,
    request BLOB NOT NULL,
    text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    finish TEXT NOT NULL,
    purpose TEXT
);

-- A program run against a check; the verdict as JSON.
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    problem TEXT NOT NULL,
    verdict TEXT NOT NULL
);

-- Plans that were measured, and the first genome that compiled to each (NULL where it was measured outside a search).
CREATE TABLE plans (
    digest TEXT PRIMARY KEY,
    genome TEXT
) WITHOUT ROWID;

CREATE TABLE cells (
    plan TEXT NOT NULL REFERENCES plans (digest),
    problem TEXT NOT NULL,
    purpose TEXT NOT NULL,
    replicate INTEGER NOT NULL,
    solved INTEGER,
    status TEXT NOT NULL,
    error_types TEXT NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    fault TEXT NOT NULL,
    shown REAL,
    seconds REAL,
    PRIMARY KEY (plan, problem, purpose, replicate)
) WITHOUT ROWID;
CREATE INDEX missing_cells ON cells (plan) WHERE solved IS NULL;

-- What each generation held and decided: genomes, parents, species, estimates (JSON); and which cells were taken into
-- account for the first time (JSON, zlib).
CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    evidence BLOB
);

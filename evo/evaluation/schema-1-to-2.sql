-- Calls and executions were clustered by their random keys, which scattered every write over the whole file; calls
-- repeated the digest of their model in every row; cells could name plans that nobody knew.
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (name, digest)
);
INSERT INTO models (name, digest) SELECT DISTINCT model, model_digest FROM calls ORDER BY model, model_digest;

ALTER TABLE calls RENAME TO calls_1;
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
    finish TEXT NOT NULL
);
INSERT INTO calls SELECT NULL, key, models.id, problem, role, request, text, prompt_tokens, completion_tokens, seconds,
    finish FROM calls_1 JOIN models ON models.name = calls_1.model AND models.digest = calls_1.model_digest;
DROP TABLE calls_1;

ALTER TABLE executions RENAME TO executions_1;
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    problem TEXT NOT NULL,
    verdict TEXT NOT NULL
);
INSERT INTO executions SELECT NULL, key, problem, verdict FROM executions_1;
DROP TABLE executions_1;

ALTER TABLE plans RENAME TO plans_1;
CREATE TABLE plans (
    digest TEXT PRIMARY KEY,
    genome TEXT
) WITHOUT ROWID;
INSERT INTO plans SELECT digest, genome FROM plans_1;
INSERT OR IGNORE INTO plans SELECT DISTINCT plan, NULL FROM cells;
DROP TABLE plans_1;

ALTER TABLE cells RENAME TO cells_1;
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
    PRIMARY KEY (plan, problem, purpose, replicate)
) WITHOUT ROWID;
INSERT INTO cells SELECT * FROM cells_1;
DROP TABLE cells_1;
CREATE INDEX missing_cells ON cells (plan) WHERE solved IS NULL;

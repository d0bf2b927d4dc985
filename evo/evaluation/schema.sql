-- One run. `key` columns are SHA-256 of everything the row depends on.
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- A draw: what was asked of a model (JSON, zlib) and what it answered.
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    problem TEXT NOT NULL,
    role TEXT NOT NULL,
    request BLOB NOT NULL,
    text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    finish TEXT NOT NULL
) WITHOUT ROWID;

-- A program run against a check; the verdict as JSON.
CREATE TABLE IF NOT EXISTS executions (
    key TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    verdict TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS cells (
    plan TEXT NOT NULL,
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

-- Which genome a plan digest stands for, and what each generation held and decided (JSON).
CREATE TABLE IF NOT EXISTS plans (
    digest TEXT PRIMARY KEY,
    genome TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS generations (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL
);

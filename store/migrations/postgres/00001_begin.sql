-- +goose Up
CREATE TABLE alerts (
    seq         BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    rule_id     TEXT    NOT NULL,
    rule_name   TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    risk        DOUBLE PRECISION NOT NULL,
    tags        TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    timed       BOOLEAN NOT NULL,
    block       BOOLEAN NOT NULL,
    reason      TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    user_name   TEXT    NOT NULL,
    stored      BIGINT  NOT NULL,
    status      TEXT    NOT NULL DEFAULT 'open',
    close_reason TEXT   NOT NULL DEFAULT '',
    assignees   TEXT    NOT NULL DEFAULT '[]',
    labels      TEXT    NOT NULL DEFAULT '[]',
    version     BIGINT  NOT NULL DEFAULT 1
);
CREATE INDEX alerts_by_rule ON alerts (rule_id, status, at, seq);
CREATE INDEX alerts_by_status ON alerts (status, at, seq);
CREATE INDEX alerts_by_time ON alerts (at, seq);
CREATE INDEX alerts_by_stored ON alerts (stored);
CREATE TABLE documents (seq BIGINT PRIMARY KEY, document BYTEA NOT NULL);
CREATE TABLE words (seq BIGINT PRIMARY KEY, text TSVECTOR NOT NULL);
CREATE INDEX words_by_text ON words USING GIN (text);
CREATE TABLE notes (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, seq BIGINT NOT NULL, at BIGINT NOT NULL, by_whom TEXT NOT NULL, change TEXT NOT NULL
);
CREATE INDEX notes_by_alert ON notes (seq, n);
CREATE TABLE outbox (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sink TEXT NOT NULL, seq BIGINT NOT NULL, attempts BIGINT NOT NULL DEFAULT 0,
    due BIGINT NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', dead BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX outbox_by_sink ON outbox (sink, dead, n);
CREATE TABLE states (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BYTEA NOT NULL, hash BYTEA NOT NULL, scopes TEXT NOT NULL,
    created BIGINT NOT NULL, expires BIGINT NOT NULL, revoked BOOLEAN NOT NULL DEFAULT FALSE
);

-- +goose Down
DROP TABLE keys;
DROP TABLE states;
DROP TABLE outbox;
DROP TABLE notes;
DROP TABLE words;
DROP TABLE documents;
DROP TABLE alerts;

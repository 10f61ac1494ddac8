-- +goose Up
CREATE TABLE alerts (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    rule_id     TEXT    NOT NULL,
    rule_name   TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    risk        REAL    NOT NULL,
    tags        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    timed       INTEGER NOT NULL,
    block       INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    user_name   TEXT    NOT NULL,
    stored      INTEGER NOT NULL,
    status      TEXT    NOT NULL DEFAULT 'open',
    close_reason TEXT   NOT NULL DEFAULT '',
    assignees   TEXT    NOT NULL DEFAULT '[]',
    labels      TEXT    NOT NULL DEFAULT '[]',
    version     INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX alerts_by_rule ON alerts (rule_id, status, at, seq);
CREATE INDEX alerts_by_status ON alerts (status, at, seq);
CREATE INDEX alerts_by_time ON alerts (at, seq);
CREATE INDEX alerts_by_stored ON alerts (stored);
CREATE TABLE documents (seq INTEGER PRIMARY KEY, document BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1, tokenize = "unicode61 tokenchars '_'");
CREATE TABLE notes (
    n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, at INTEGER NOT NULL, by_whom TEXT NOT NULL, change TEXT NOT NULL
);
CREATE INDEX notes_by_alert ON notes (seq, n);
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, seq INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', dead INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_by_sink ON outbox (sink, dead, n);
CREATE TABLE states (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL, scopes TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE keys;
DROP TABLE states;
DROP TABLE outbox;
DROP TABLE notes;
DROP TABLE words;
DROP TABLE documents;
DROP TABLE alerts;

-- +goose Up
CREATE TABLE suppressed (alert TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (alert, id));

-- +goose Down
DROP TABLE suppressed;

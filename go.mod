module github.com/shrike-project/shrike

go 1.26

require (
	github.com/klauspost/compress v1.20.3
	github.com/pelletier/go-toml/v2 v2.4.3
)

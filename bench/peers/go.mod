module github.com/shrike-project/shrike/bench/peers

go 1.26.0

require (
	github.com/goccy/go-json v0.12.0
	github.com/valyala/fastjson v1.6.10
)

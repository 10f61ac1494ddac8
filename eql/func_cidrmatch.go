package eql

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/shrike-project/shrike/event"
)

var cidrMatchFunction = &Function{
	Name: "cidrMatch",
	Params: []Param{
		{Name: "address", Types: []string{"ip"}},
		{Name: "block", Types: []string{"string"}, Constant: true},
	},
	variadic: true, Result: "boolean", result: tBoolean,
	Doc: "Whether an address lies in one of the blocks, written as address/bits. Host bits of a block are ignored; " +
		"a bare address is a block of its own. A v4 address never lies in a v6 block.",
	Example: `cidrMatch("10.6.48.157", "10.0.0.0/8", "fd00::/8") == true`,
	bind:    bindCidrMatch, check: checkCidrMatch,
}

func bindCidrMatch(c *boundCall) evaluator {
	var blocks []netip.Prefix
	for _, v := range c.constants[1:] {
		if b, err := parseBlock(v.Str()); err == nil {
			blocks = append(blocks, b)
		}
	}
	return func(env *env) event.Value {
		addr, ok := asAddr(c.args[0](env))
		if !ok {
			return event.Value{}
		}
		for _, b := range blocks {
			if b.Contains(addr) {
				return event.BoolValue(true)
			}
		}
		return event.BoolValue(false)
	}
}

// asAddr gives an address, be it of the type ip or text that is one.
func asAddr(v event.Value) (netip.Addr, bool) {
	if v.Kind() == event.IP {
		return v.Addr(), true
	}
	if v.Kind() != event.String {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(v.Str())
	return a.Unmap().WithZone(""), err == nil
}

// parseBlock reads address/bits, or an address, which is a block of its own.
func parseBlock(s string) (netip.Prefix, error) {
	text, bits, ranged := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		//lint:ignore ST1005 the wording is Elasticsearch's
		return netip.Prefix{}, fmt.Errorf("'%s' is not an IP string literal.", text)
	}
	if !ranged {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text + "/" + bits)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("'%s' is not a block of addresses: the number of bits is 0 to %d", s, addr.BitLen())
	}
	return p.Masked(), nil
}

func checkCidrMatch(c *checker, call *Call) {
	for i, arg := range call.Args {
		lit, ok := arg.(*Literal)
		if !ok || lit.Value.Kind() != event.String {
			continue
		}
		if i == 0 {
			if _, err := netip.ParseAddr(lit.Value.Str()); err != nil {
				c.problem(lit.Span, BadLiteral, "", "'%s' is not an IP string literal.", lit.Value.Str())
			}
			continue
		}
		if _, err := parseBlock(lit.Value.Str()); err != nil {
			c.problem(lit.Span, BadLiteral, `a block has the form "10.0.0.0/8"`, "%s", err.Error())
		}
	}
}

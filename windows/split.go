package windows

import "strings"

// Command lines are split in two ways, as Elastic's pipelines do.
//
// Sysmon's and PowerShell's are split as Windows programs see them
// (CommandLineToArgvW and the C runtime): blanks and tabs part arguments outside
// quotes; a backslash is itself unless a quote follows the run of them; two quotes
// within quotes are one, and end the quotes.
//
// That of Security 4688 is split at white space outside quotes, and the quotes
// stay. Where several blanks follow each other Elastic's pipeline leaves empty
// arguments, which are left out here.

// splitArgs appends the arguments of a command line to list. Those that are not a
// part of the line as it stands share the memory of text, which grows.
func splitArgs(list []string, text []byte, line string) ([]string, []byte) {
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		// Most arguments hold no quote, and are a part of the line.
		end := i
		for end < len(line) && line[end] != ' ' && line[end] != '\t' && line[end] != '"' {
			end++
		}
		if end == len(line) || line[end] != '"' {
			list = append(list, line[i:end])
			i = end
			continue
		}
		if line[i] == '"' {
			if arg, next, ok := wholeQuoted(line, i); ok {
				list = append(list, arg)
				i = next
				continue
			}
		}
		start := len(text)
		text, i = appendArg(text, line, i)
		list = append(list, view(text[start:]))
	}
	return list, text
}

// wholeQuoted reads an argument that is one quoted text without a quote or a
// backslash before a quote in it.
func wholeQuoted(line string, i int) (arg string, next int, ok bool) {
	n := strings.IndexByte(line[i+1:], '"')
	if n <= 0 {
		return "", 0, false
	}
	end := i + 1 + n
	if line[end-1] == '\\' || end+1 < len(line) && line[end+1] != ' ' && line[end+1] != '\t' {
		return "", 0, false
	}
	return line[i+1 : end], end + 1, true
}

// appendArg appends the argument that starts at i, and gives where it ends.
func appendArg(text []byte, line string, i int) ([]byte, int) {
	quoted, slashes := false, 0
	for ; i < len(line); i++ {
		c := line[i]
		if c == '\\' {
			slashes++
			continue
		}
		if c != '"' {
			text = appendSlashes(text, slashes)
			slashes = 0
			if !quoted && (c == ' ' || c == '\t') {
				return text, i + 1
			}
			text = append(text, c)
			continue
		}
		text = appendSlashes(text, slashes/2)
		if slashes%2 == 1 {
			text = append(text, '"')
		} else {
			if quoted && i+1 < len(line) && line[i+1] == '"' {
				text = append(text, '"')
				i++
			}
			quoted = !quoted
		}
		slashes = 0
	}
	return appendSlashes(text, slashes), i
}

func appendSlashes(text []byte, n int) []byte {
	for range n {
		text = append(text, '\\')
	}
	return text
}

// splitQuoted appends the arguments of a command line, quotes included, to list.
func splitQuoted(list []string, line string) []string {
	start, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && isSpace(c):
			if i > start {
				list = append(list, line[start:i])
			}
			start = i + 1
		}
	}
	if start < len(line) {
		list = append(list, line[start:])
	}
	return list
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f }

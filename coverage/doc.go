// Package coverage tells what a source of events can never say, and what that
// makes of a rule.
//
//	windows.Profiles ─Known─▶ Source ┐
//	events ──────────Observer─▶ Source ┴─ Rule.On ─▶ Result (full, degraded, not applicable)
//	rule ────────────Compile──▶ Rule ─┘
//
// A Source is a list of Kinds of events. Of each kind it is known which fields its
// events can have, and of some fields which values. A Rule is evaluated for each kind
// with three answers: a part of its condition holds, does not hold, or may do either.
//
// It is evaluated twice. First only with what events say of themselves (category, type,
// code, data set, operating system): where the condition cannot hold then, the rule is
// not about such events. Then with the fields that are missing: a test that could go
// either way before and cannot now is one that the source never decides. What it comes
// to for good, and whether the query negates it, says if the rule fires too little
// (blind) or too much (noisy).
//
// # What it promises
//
//   - A rule that is Blind on a source fires on no event that is as the source says.
//   - If a rule is Full, some kind of event supplies all fields of every test that
//     matters.
//
// The opposite is not promised: what is said of two tests at once is not put together,
// so a rule may be blind and not be found out.
//
// The package does no I/O. It is part of the program, not of its promised interface.
package coverage

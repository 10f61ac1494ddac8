//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

DATA odd<>+0(SB)/8, $0xAAAAAAAAAAAAAAAA
GLOBL odd<>(SB), RODATA|NOPTR, $8

// Both versions keep, for a whole call:
//
//	SI  the block           R10 all ones within a string, else 0
//	CX  blocks left         R11 1: the block begins with an escaped byte
//	R8  the word of quotes  R12 backslashes outside of strings
//	R9  bytes from there to the word of opening brackets, and on to the closing ones
//	DI  the state           X15 all ones
//
// and give MASKS a block as four masks: AX quotes, BX backslashes, DX opening and
// R13 closing brackets.

// ARGUMENTS loads what the caller gave.
#define ARGUMENTS \
	MOVQ doc+0(FP), SI; \
	MOVQ blocks+8(FP), CX; \
	MOVQ words+16(FP), R8; \
	MOVQ stride+24(FP), R9; \
	MOVQ st+32(FP), DI; \
	SHLQ $3, R9; \
	MOVQ indexState_inString(DI), R10; \
	MOVQ indexState_escaped(DI), R11; \
	MOVQ indexState_stray(DI), R12

// MASKS writes the words of a block. A byte is escaped if an odd run of backslashes
// stands before it; runs that begin at odd places are told from the others by a
// subtraction that borrows through them. Within a string is every byte with an odd
// number of quotes up to it: a carry-less product with all ones.
#define MASKS \
	MOVQ       BX, R14; \
	ORQ        R11, R14; \
	JZ         unescaped; \
	MOVQ       R11, R14; \
	NOTQ       R14; \
	ANDQ       BX, R14; \
	LEAQ       (R14)(R14*1), R15; \
	ORQ        odd<>(SB), R15; \
	SUBQ       R14, R15; \
	XORQ       odd<>(SB), R15; \
	MOVQ       BX, R14; \
	ORQ        R11, R14; \
	XORQ       R15, R14; \
	ANDQ       BX, R15; \
	SHRQ       $63, R15; \
	MOVQ       R15, R11; \
	NOTQ       R14; \
	ANDQ       R14, AX; \
unescaped: \
	MOVQ       AX, (R8); \
	VMOVQ      AX, X0; \
	VPCLMULQDQ $0, X15, X0, X0; \
	VMOVQ      X0, R14; \
	XORQ       R10, R14; \
	MOVQ       R14, R10; \
	SARQ       $63, R10; \
	NOTQ       R14; \
	ANDQ       R14, BX; \
	ORQ        BX, R12; \
	ANDQ       R14, DX; \
	ANDQ       R14, R13; \
	MOVQ       DX, (R8)(R9*1); \
	MOVQ       R13, (R8)(R9*2); \
	POPCNTQ    DX, DX; \
	POPCNTQ    R13, R13; \
	ADDQ       DX, indexState_opens(DI); \
	ADDQ       R13, indexState_closes(DI); \
	ADDQ       $8, R8; \
	ADDQ       $64, SI; \
	DECQ       CX

// DONE hands the state back.
#define DONE \
	MOVQ R10, indexState_inString(DI); \
	MOVQ R11, indexState_escaped(DI); \
	MOVQ R12, indexState_stray(DI); \
	VZEROUPPER; \
	RET

// BROADCAST fills a register with a byte.
#define BROADCAST(byte, x, y) \
	MOVL         $byte, AX; \
	VMOVD        AX, x; \
	VPBROADCASTB x, y

// func indexAVX512(doc *byte, blocks int, words *uint64, stride int, st *indexState)
TEXT ·indexAVX512(SB), NOSPLIT, $0-40
	ARGUMENTS
	BROADCAST(0x22, X10, Z10)
	BROADCAST(0x5C, X11, Z11)
	BROADCAST(0x20, X12, Z12)
	BROADCAST(0x7B, X13, Z13)
	BROADCAST(0x7D, X14, Z14)
	VPCMPEQB  X15, X15, X15

loop:
	VMOVDQU64 (SI), Z0
	VPCMPEQB  Z10, Z0, K1
	VPCMPEQB  Z11, Z0, K2
	VPORQ     Z12, Z0, Z1          // [ and { differ in one bit, and so do ] and }
	VPCMPEQB  Z13, Z1, K3
	VPCMPEQB  Z14, Z1, K4
	KMOVQ     K1, AX
	KMOVQ     K2, BX
	KMOVQ     K3, DX
	KMOVQ     K4, R13
	MASKS
	JNZ       loop
	DONE

// MASK2 puts the masks of Y0 and Y1 against y into a register.
#define MASK2(y, lo, hi, into) \
	VPCMPEQB  y, lo, Y4; \
	VPCMPEQB  y, hi, Y5; \
	VPMOVMSKB Y4, into; \
	VPMOVMSKB Y5, R14; \
	SHLQ      $32, R14; \
	ORQ       R14, into

// func indexAVX2(doc *byte, blocks int, words *uint64, stride int, st *indexState)
TEXT ·indexAVX2(SB), NOSPLIT, $0-40
	ARGUMENTS
	BROADCAST(0x22, X10, Y10)
	BROADCAST(0x5C, X11, Y11)
	BROADCAST(0x20, X12, Y12)
	BROADCAST(0x7B, X13, Y13)
	BROADCAST(0x7D, X14, Y14)
	VPCMPEQB X15, X15, X15

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	MASK2(Y10, Y0, Y1, AX)
	MASK2(Y11, Y0, Y1, BX)
	VPOR    Y12, Y0, Y2                // [ and { differ in one bit, and so do ] and }
	VPOR    Y12, Y1, Y3
	MASK2(Y13, Y2, Y3, DX)
	MASK2(Y14, Y2, Y3, R13)
	MASKS
	JNZ     loop
	DONE

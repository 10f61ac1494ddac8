//go:build amd64 && !purego

#include "textflag.h"

// Both versions keep:
//
//	SI  the block    CX  blocks left    DX  blocks
//
// and the tables of the first, second and third byte, low and high four bits.

// BUCKETS gives, for each byte of x, the buckets that the tables lo and hi allow.
#define BUCKETS(nibble, lo, hi, x, high, and) \
	VPSRLW  $4, x, high; \
	and     nibble, x, x; \
	and     nibble, high, high; \
	VPSHUFB x, lo, x; \
	VPSHUFB high, hi, high; \
	and     high, x, x

// func teddyAVX512(text *byte, blocks int, t *teddyTables) (block int, mask uint64)
TEXT ·teddyAVX512(SB), NOSPLIT, $0-40
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ t+16(FP), DI
	MOVQ CX, DX
	MOVQ $0x0F0F0F0F0F0F0F0F, AX
	VPBROADCASTQ AX, Z9
	VBROADCASTI32X4 (DI), Z10
	VBROADCASTI32X4 16(DI), Z11
	VBROADCASTI32X4 32(DI), Z12
	VBROADCASTI32X4 48(DI), Z13
	VBROADCASTI32X4 64(DI), Z14
	VBROADCASTI32X4 80(DI), Z15
	TESTQ CX, CX
	JZ none512

loop512:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 1(SI), Z1
	VMOVDQU64 2(SI), Z2
	BUCKETS(Z9, Z10, Z11, Z0, Z3, VPANDQ)
	BUCKETS(Z9, Z12, Z13, Z1, Z4, VPANDQ)
	BUCKETS(Z9, Z14, Z15, Z2, Z5, VPANDQ)
	VPTERNLOGQ $0x80, Z1, Z2, Z0
	VPTESTMB Z0, Z0, K1
	KORTESTQ K1, K1
	JNZ found512
	ADDQ $64, SI
	DECQ CX
	JNZ loop512

none512:
	MOVQ DX, block+24(FP)
	MOVQ $0, mask+32(FP)
	VZEROUPPER
	RET

found512:
	KMOVQ K1, AX
	SUBQ CX, DX
	MOVQ DX, block+24(FP)
	MOVQ AX, mask+32(FP)
	VZEROUPPER
	RET

// HALF gives a bit for each of the 32 bytes at off that begin a candidate.
#define HALF(off, into) \
	VMOVDQU off(SI), Y0; \
	VMOVDQU (off+1)(SI), Y1; \
	VMOVDQU (off+2)(SI), Y2; \
	BUCKETS(Y9, Y10, Y11, Y0, Y3, VPAND); \
	BUCKETS(Y9, Y12, Y13, Y1, Y4, VPAND); \
	BUCKETS(Y9, Y14, Y15, Y2, Y5, VPAND); \
	VPAND Y1, Y0, Y0; \
	VPAND Y2, Y0, Y0; \
	VPCMPEQB Y8, Y0, Y0; \
	VPMOVMSKB Y0, into

// func teddyAVX2(text *byte, blocks int, t *teddyTables) (block int, mask uint64)
TEXT ·teddyAVX2(SB), NOSPLIT, $0-40
	MOVQ text+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ t+16(FP), DI
	MOVQ CX, DX
	MOVQ $0x0F0F0F0F0F0F0F0F, AX
	VMOVQ AX, X9
	VPBROADCASTQ X9, Y9
	VPXOR Y8, Y8, Y8
	VBROADCASTI128 (DI), Y10
	VBROADCASTI128 16(DI), Y11
	VBROADCASTI128 32(DI), Y12
	VBROADCASTI128 48(DI), Y13
	VBROADCASTI128 64(DI), Y14
	VBROADCASTI128 80(DI), Y15
	TESTQ CX, CX
	JZ none256

loop256:
	HALF(0, AX)
	HALF(32, BX)
	SHLQ $32, BX
	ORQ BX, AX
	NOTQ AX
	TESTQ AX, AX
	JNZ found256
	ADDQ $64, SI
	DECQ CX
	JNZ loop256

none256:
	MOVQ DX, block+24(FP)
	MOVQ $0, mask+32(FP)
	VZEROUPPER
	RET

found256:
	SUBQ CX, DX
	MOVQ DX, block+24(FP)
	MOVQ AX, mask+32(FP)
	VZEROUPPER
	RET

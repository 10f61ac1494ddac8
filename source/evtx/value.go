package evtx

// Values: the types of substitution values, and how each is written.

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// valueType is the type of a value; typeArray is added for a list.
type valueType uint8

const (
	typeNull       valueType = 0x00
	typeString     valueType = 0x01
	typeANSI       valueType = 0x02
	typeInt8       valueType = 0x03
	typeUint8      valueType = 0x04
	typeInt16      valueType = 0x05
	typeUint16     valueType = 0x06
	typeInt32      valueType = 0x07
	typeUint32     valueType = 0x08
	typeInt64      valueType = 0x09
	typeUint64     valueType = 0x0a
	typeFloat32    valueType = 0x0b
	typeFloat64    valueType = 0x0c
	typeBool       valueType = 0x0d
	typeBinary     valueType = 0x0e
	typeGUID       valueType = 0x0f
	typeSize       valueType = 0x10
	typeFileTime   valueType = 0x11
	typeSystemTime valueType = 0x12
	typeSID        valueType = 0x13
	typeHex32      valueType = 0x14
	typeHex64      valueType = 0x15
	typeHandle     valueType = 0x20
	typeXML        valueType = 0x21
	typeEventXML   valueType = 0x23
	typeArray      valueType = 0x80
)

// value is one substitution value within the chunk.
type value struct {
	pos  uint32
	size uint16
	typ  valueType
}

// appendValue writes a single value. One whose size does not fit its type is
// written as the bytes it is.
func appendValue(dst []byte, typ valueType, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	switch typ {
	case typeNull:
		return dst
	case typeString, typeEventXML:
		return appendUTF16(dst, b)
	case typeANSI:
		return appendANSI(dst, b)
	case typeInt8, typeInt16, typeInt32, typeInt64:
		if v, ok := integer(b); ok {
			shift := 64 - 8*len(b)
			return strconv.AppendInt(dst, int64(v)<<shift>>shift, 10)
		}
	case typeUint8, typeUint16, typeUint32, typeUint64:
		if v, ok := integer(b); ok {
			return strconv.AppendUint(dst, v, 10)
		}
	case typeSize, typeHex32, typeHex64, typeHandle:
		if v, ok := integer(b); ok {
			return appendHexNumber(dst, v)
		}
	case typeBool:
		if v, ok := integer(b); ok {
			return strconv.AppendBool(dst, v != 0)
		}
	case typeGUID:
		if len(b) == 16 {
			return appendGUID(dst, b)
		}
	case typeSID:
		if n := sidBytes(b); n != 0 && n <= len(b) {
			return appendSID(dst, b[:n])
		}
	default:
		return appendRareValue(dst, typ, b)
	}
	return appendBinary(dst, b)
}

func appendRareValue(dst []byte, typ valueType, b []byte) []byte {
	switch {
	case typ == typeFloat32 && len(b) == 4:
		return strconv.AppendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 'g', -1, 32)
	case typ == typeFloat64 && len(b) == 8:
		return strconv.AppendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(b)), 'g', -1, 64)
	case typ == typeFileTime && len(b) == 8:
		return appendFileTime(dst, binary.LittleEndian.Uint64(b))
	case typ == typeSystemTime && len(b) == 16:
		return appendSystemTime(dst, b)
	}
	return appendBinary(dst, b)
}

// integer reads a number of one, two, four or eight bytes.
func integer(b []byte) (uint64, bool) {
	switch len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), true
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), true
	case 8:
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}

// numeric reads the number a value stands for, whether it is one or writes one.
func numeric(typ valueType, b []byte) (uint64, bool) {
	switch typ {
	case typeString, typeANSI:
		var text [32]byte
		if len(b) > 2*len(text) {
			return 0, false
		}
		return parseNumber(appendValue(text[:0], typ, b))
	case typeInt8, typeInt16, typeInt32, typeInt64, typeUint8, typeUint16, typeUint32, typeUint64,
		typeHex32, typeHex64, typeSize, typeFileTime, typeBool:
		return integer(b)
	}
	return 0, false
}

// parseNumber reads a decimal number, or a hexadecimal one after "0x".
func parseNumber(text []byte) (uint64, bool) {
	text = bytes.TrimSpace(text)
	base := 10
	if digits, ok := bytes.CutPrefix(text, []byte("0x")); ok {
		text, base = digits, 16
	}
	v, err := strconv.ParseUint(string(text), base, 64)
	return v, err == nil
}

// elementBytes is the size of an array's elements where all have the same, else 0.
func elementBytes(typ valueType) int {
	switch typ {
	case typeInt8, typeUint8:
		return 1
	case typeInt16, typeUint16:
		return 2
	case typeInt32, typeUint32, typeFloat32, typeBool, typeHex32:
		return 4
	case typeInt64, typeUint64, typeFloat64, typeFileTime, typeHex64, typeSize:
		return 8
	case typeGUID, typeSystemTime:
		return 16
	}
	return 0
}

// cutElement takes the first element off an array. What is no whole element goes
// with the rest as one.
func cutElement(typ valueType, b []byte) (element, rest []byte) {
	n := elementBytes(typ)
	switch typ {
	case typeString:
		for i := 0; i+2 <= len(b); i += 2 {
			if b[i] == 0 && b[i+1] == 0 {
				return b[:i], b[i+2:]
			}
		}
		return b, nil
	case typeANSI:
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return b[:i], b[i+1:]
		}
		return b, nil
	case typeSID:
		n = sidBytes(b)
	}
	if n == 0 || n > len(b) {
		return b, nil
	}
	return b[:n], b[n:]
}

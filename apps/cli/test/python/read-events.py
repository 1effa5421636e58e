"""Reads an event file of TensorBoard with Python's standard library alone, and checks every checksum bit by bit."""

import json
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data, stored):
    crc = crc32c(data)
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked == stored, f"checksum {stored:#x} stored, {masked:#x} found"


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif wire == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
            assert len(value) == length
        else:
            raise ValueError(f"wire type {wire}")
        yield number, value


def doubles(data):
    return list(struct.unpack(f"<{len(data) // 8}d", data))


scalars, histograms = {}, {}
data = open(sys.argv[1], "rb").read()
at = records = 0
while at < len(data):
    (length,) = struct.unpack_from("<Q", data, at)
    check(data[at : at + 8], struct.unpack_from("<I", data, at + 8)[0])
    body = data[at + 12 : at + 12 + length]
    check(body, struct.unpack_from("<I", data, at + 12 + length)[0])
    at += 16 + length
    event = dict(fields(body))
    if records == 0:
        assert event[3] == b"brain.Event:2"
    records += 1
    for _, value in fields(event.get(5, b"")):
        content = dict(fields(value))
        tag = content[1].decode()
        step = event.get(2, 0)
        if 2 in content:
            scalars.setdefault(tag, []).append([step, content[2]])
        if 5 in content:
            h = dict(fields(content[5]))
            histograms.setdefault(tag, []).append(
                {
                    "step": step,
                    "min": h[1],
                    "max": h[2],
                    "num": h[3],
                    "sum": h[4],
                    "sumSquares": h[5],
                    "limits": doubles(h[6]),
                    "counts": doubles(h[7]),
                }
            )
print(json.dumps({"scalars": scalars, "histograms": histograms}))

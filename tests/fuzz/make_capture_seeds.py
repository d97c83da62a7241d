#!/usr/bin/env python3
"""Write the seeds of fuzz_sensor_capture: small captures of every form that is read."""
import gzip
import pathlib
import struct

OUT = pathlib.Path(__file__).parent / "corpus" / "fuzz_sensor_capture"
MACS = bytes.fromhex("020000000001020000000002")
FRAME = MACS + b"\x08\x00" + bytes.fromhex("4500001d 00000000 40110000 c0000201 c6336407".replace(" ", "")) \
    + bytes.fromhex("0035007b00090000") + b"x"
TIME = 1700000000


def pcap(order="<", magic=0xA1B2C3D4, link=1, per_us=1, extra=b""):
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
    for i in range(2):
        out += struct.pack(order + "IIII", TIME + i, 5 * per_us, len(FRAME), 60) + extra + FRAME
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link=1, resolution=None, offset=None):
    body = struct.pack(order + "HHI", link, 0, 65535)
    if resolution is not None:
        body += struct.pack(order + "HHBxxx", 9, 1, resolution)
    if offset is not None:
        body += struct.pack(order + "HHq", 14, 8, offset)
    return block(order, 1, body + b"\0\0\0\0")


def packet(order, number=0, ticks=TIME * 1000000):
    return block(order, 6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF,
                                       len(FRAME), 60) + FRAME)


def pcapng(order):
    ticks = TIME * 1000000
    old = struct.pack(order + "HHIIII", 0, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(FRAME), 60) + FRAME
    lost = struct.pack(order + "III", 0, 0, 0) + struct.pack(order + "HHQ", 5, 8, 3) + b"\0\0\0\0"
    return (section(order) + interface(order) + interface(order, 101, 9, 10) + packet(order)
            + packet(order, 1, 1700000000123456789) + block(order, 4, b"names")
            + block(order, 3, struct.pack(order + "I", len(FRAME)) + FRAME)
            + block(order, 2, old) + block(order, 5, lost))


def zstd(data):
    """Frames of one stored block each: the compressor's choices are of no interest here."""
    out = b""
    for i in range(0, len(data), 200):
        part = data[i:i + 200]
        out += struct.pack("<IBB", 0xFD2FB528, 0x20, len(part))
        out += struct.pack("<I", len(part) << 3 | 1)[:3] + part
    return out


SEEDS = {
    "pcap_le": pcap(),
    "pcap_be": pcap(">"),
    "pcap_ns": pcap(magic=0xA1B23C4D, per_us=1000),
    "pcap_modified": pcap(magic=0xA1B2CD34, extra=bytes(8)),
    "pcap_raw": pcap(link=101),
    "pcap_other_link": pcap(link=105),
    "pcap_long_record": pcap()[:32] + b"\xff\xff\xff\xff" + pcap()[36:],
    "pcapng_le": pcapng("<"),
    "pcapng_be": pcapng(">"),
    "pcapng_two_sections": pcapng("<") + pcapng(">"),
    "pcapng_binary_clock": section("<") + interface("<", 1, 0xA0, -5) + packet("<", 0, TIME << 32),
    "pcapng_other_link": section("<") + interface("<", 189) + packet("<"),
    "gzip": gzip.compress(pcap(), mtime=0),
    "gzip_members": gzip.compress(pcap()[:50], mtime=0) + gzip.compress(pcap()[50:], mtime=0),
    "zstd": zstd(pcap()),
    "zstd_frames": zstd(pcapng("<")),
    "empty": b"",
}

OUT.mkdir(parents=True, exist_ok=True)
for name, data in SEEDS.items():
    (OUT / name).write_bytes(data)

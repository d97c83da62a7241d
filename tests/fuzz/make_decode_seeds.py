#!/usr/bin/env python3
"""Write the seeds of fuzz_decode_packet: one small frame for each way through the decoder.

Input form of the target: index of the link type, two bytes "cut off on the wire", frame.
"""
import pathlib

OUT = pathlib.Path(__file__).parent / "corpus" / "fuzz_decode_packet"
ETHERNET, RAW, SLL, SLL2, NULL, LOOP, IPV4, IPV6 = range(8)


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


ADDRESSES6 = "20010db8000000000000000000000001 20010db8000000000000000000000002"
MACS = "020000000001 020000000002"
SYN = ("4500003c d4314000 f9060000 c0000201 c6336407 9c40001701020304 00000000 a002faf0 00000000"
       "020405b4 0402 080a0000000100000000 01 030307")
UDP = "0035007b 000d0000 68656c6c6f"
IP4_UDP = "45000021 00000000 40110000 c0000201 c6336407"

SEEDS = {
    "ethernet_syn": (ETHERNET, MACS + "0800" + SYN),
    "ethernet_qinq": (ETHERNET, MACS + "88a8 0064 8100 0065 0800" + SYN),
    "ethernet_snap": (ETHERNET, MACS + "0044 aaaa03000000 0800" + SYN),
    "ethernet_arp": (ETHERNET, MACS + "0806 0001"),
    "sll_syn": (SLL, "0000 0001 0006 0200000000020000 0800" + SYN),
    "sll2_syn": (SLL2, "0800 0000 00000002 0001 0006 0200000000020000" + SYN),
    "null_udp": (NULL, "02000000" + IP4_UDP + UDP),
    "loop_udp": (LOOP, "00000002" + IP4_UDP + UDP),
    "raw_udp": (RAW, IP4_UDP + UDP),
    "ip4_options": (IPV4, "46000025 00000000 40110000 c0000201 c6336407 94040000" + UDP),
    "ip4_first_fragment": (IPV4, "45000021 00072000 40110000 c0000201 c6336407" + UDP),
    "ip4_later_fragment": (IPV4, "45000021 00070002 40110000 c0000201 c6336407" + UDP),
    "ip4_length_zero": (IPV4, "45000000 00000000 40110000 c0000201 c6336407" + UDP),
    "ip4_icmp_echo": (IPV4, "4500001c 00000000 40010000 c0000201 c6336407 0800000012340007"),
    "ip4_gre": (IPV4, "45000018 00000000 402f0000 c0000201 c6336407 00000800"),
    "ip6_udp": (IPV6, "60000000 000d1140" + ADDRESSES6 + UDP),
    "ip6_icmp": (IPV6, "60000000 00083aff" + ADDRESSES6 + "8100000001020304"),
    "ip6_extensions": (IPV6, "60000000 002d0040" + ADDRESSES6 + "2b00000000000000 2c00000000000000"
                       "3c00000000000007 1100000000000000" + UDP),
    "ip6_fragment": (IPV6, "60000000 000d2c40" + ADDRESSES6 + "1100000900000007 6869"),
    "ip6_authentication": (IPV6, "60000000 00193340" + ADDRESSES6 + "110100000000000000000000" + UDP),
    "tcp_bad_option": (IPV4, "4500002c 00000000 40060000 c0000201 c6336407 0050c00000000001"
                       "00000002 60020400 00000000 01010209"),
}

OUT.mkdir(parents=True, exist_ok=True)
for name, (link, frame) in SEEDS.items():
    (OUT / name).write_bytes(bytes([link, 0, 0]) + h(frame))

signature b { on udp; chance 1/65536; source "s"; match payload[0] == 0x16 && payload16[1] != 3 || starts("GET /") && zeros(4, 90) && plen > 4; }
signature c { on any; chance 2^-8; source "s"; match opts == options("mss,sok,ts,nop,ws") || ~len + 1 * 2 - 3 >> 4 >= icmp_id; }

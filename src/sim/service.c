#include "sim/service.h"

#include "base/hash.h"
#include "decode/packet.h"

#include <math.h>

#define T    PROBE_SYN
#define U    PROBE_UDP
#define NONE PAYLOAD_NONE

/* kind, port, mix, payload, share, pps, rhythm, life_h, shape */
const struct service services[] = {
    {T, 23, MIX_MIRAI, NONE, 270, 100, 0.22, 30, 60},
    {T, 445, MIX_WINDOWS, NONE, 140, 40, 0.35, 48, 60},
    {T, 22, MIX_LINUX, NONE, 50, 80, 0.05, 72, 40},
    {T, 80, MIX_ANY, NONE, 35, 60, 0.10, 48, 30},
    {T, 8080, MIX_ANY, NONE, 25, 60, 0.12, 48, 30},
    {T, 5555, MIX_MIRAI, NONE, 22, 80, 0.25, 30, 20},
    {T, 1433, MIX_WINDOWS, NONE, 30, 50, 0.20, 60, 30},
    {T, 3389, MIX_WINDOWS, NONE, 18, 50, 0.15, 60, 30},
    {T, 81, MIX_MIRAI, NONE, 10, 80, 0.22, 30, 20},
    {T, 443, MIX_ANY, NONE, 14, 60, 0.08, 48, 30},
    {T, 6379, MIX_LINUX, NONE, 12, 80, 0.03, 72, 25},
    {T, 37215, MIX_MIRAI, NONE, 12, 80, 0.22, 30, 15},
    {T, 52869, MIX_MIRAI, NONE, 6, 80, 0.22, 30, 12},
    {T, 7547, MIX_MIRAI, NONE, 6, 80, 0.22, 30, 12},
    {T, 21, MIX_ANY, NONE, 6, 50, 0.12, 48, 20},
    {T, 25, MIX_ANY, NONE, 6, 40, 0.12, 48, 20},
    {T, 139, MIX_WINDOWS, NONE, 8, 40, 0.30, 48, 25},
    {T, 135, MIX_WINDOWS, NONE, 8, 40, 0.25, 48, 25},
    {T, 110, MIX_ANY, NONE, 3, 40, 0.10, 48, 15},
    {T, 8443, MIX_ANY, NONE, 5, 60, 0.08, 48, 20},
    {T, 5900, MIX_WINDOWS, NONE, 7, 50, 0.15, 60, 20},
    {T, 8291, MIX_LINUX, NONE, 4, 60, 0.10, 48, 15},
    {T, 3306, MIX_LINUX, NONE, 8, 60, 0.08, 60, 20},
    {T, 5432, MIX_LINUX, NONE, 4, 60, 0.05, 60, 15},
    {T, 27017, MIX_LINUX, NONE, 3, 60, 0.05, 60, 15},
    {T, 9200, MIX_LINUX, NONE, 3, 60, 0.05, 60, 15},
    {T, 2375, MIX_LINUX, NONE, 3, 60, 0.05, 60, 12},
    {T, 8000, MIX_ANY, NONE, 4, 60, 0.10, 48, 15},
    {T, 8081, MIX_ANY, NONE, 5, 60, 0.12, 48, 15},
    {T, 8888, MIX_ANY, NONE, 4, 60, 0.10, 48, 15},
    {T, 9000, MIX_ANY, NONE, 3, 60, 0.10, 48, 12},
    {T, 88, MIX_ANY, NONE, 3, 60, 0.15, 48, 12},
    {T, 82, MIX_ANY, NONE, 2, 60, 0.15, 48, 12},
    {T, 60001, MIX_MIRAI, NONE, 4, 80, 0.22, 30, 10},
    {T, 5000, MIX_LINUX, NONE, 1.2, 60, 0.10, 48, 10},
    {U, 53, MIX_LINUX, PAYLOAD_DNS, 12, 50, 0.05, 72, 30},
    {U, 123, MIX_LINUX, PAYLOAD_NTP, 10, 60, 0.03, 72, 20},
    {U, 161, MIX_LINUX, PAYLOAD_SNMP, 8, 50, 0.05, 72, 25},
    {U, 1900, MIX_LINUX, PAYLOAD_SSDP, 14, 50, 0.05, 60, 20},
    {U, 11211, MIX_LINUX, PAYLOAD_MEMCACHED, 5, 60, 0.03, 72, 15},
    {U, 5060, MIX_LINUX, PAYLOAD_SIP, 14, 50, 0.06, 72, 30},
    {U, 137, MIX_WINDOWS, PAYLOAD_NETBIOS, 6, 30, 0.25, 48, 20},
    {U, 389, MIX_LINUX, PAYLOAD_RANDOM, 3, 60, 0.03, 72, 15},
    {U, 6881, MIX_WINDOWS, PAYLOAD_RANDOM, 14, 5, 0.30, 24, 30},
    {U, 33434, MIX_LINUX, PAYLOAD_TRACEROUTE, 14, 20, 0.10, 48, 30},
    {U, 5353, MIX_LINUX, PAYLOAD_DNS, 3, 40, 0.05, 60, 15},
    {U, 500, MIX_LINUX, PAYLOAD_RANDOM, 2, 40, 0.05, 60, 12},
    {U, 69, MIX_LINUX, PAYLOAD_RANDOM, 2, 40, 0.05, 60, 12},
    {PROBE_ECHO, 8, MIX_WINDOWS, PAYLOAD_LETTERS, 30, 40, 0.12, 48, 40},
    {T, 0, MIX_ANY, NONE, 80, 20, 0.12, 24, 50},
    {U, 0, MIX_ANY, PAYLOAD_RANDOM, 22, 10, 0.12, 24, 40},
};

const size_t service_count = sizeof services / sizeof *services;

#undef T
#undef U
#undef NONE

static double shares(void)
{
    double sum = 0.0;
    for (size_t i = 0; i < service_count; i++)
        sum += services[i].share;
    return sum;
}

double service_rate(uint8_t proto, uint16_t port)
{
    for (size_t i = 0; i < service_count; i++)
        if (services[i].port && services[i].port == port &&
            probe_proto((enum probe_kind)services[i].kind) == proto)
            return BACKGROUND_DAY * SHARE_POOLS * services[i].share / shares();
    return 0.0;
}

enum style service_style(enum mix mix, struct rng *r)
{
    static const uint8_t parts[][3] = {
        /* until Linux, until Windows, until Mirai; then bare */
        [MIX_MIRAI] = {0, 0, 90},
        [MIX_WINDOWS] = {10, 95, 95},
        [MIX_LINUX] = {60, 60, 60},
        [MIX_ANY] = {40, 70, 70},
    };
    uint64_t at = rng_below(r, 100);
    const uint8_t *part = parts[mix];
    return at < part[0]   ? STYLE_LINUX
           : at < part[1] ? STYLE_WINDOWS
           : at < part[2] ? STYLE_MIRAI
                          : STYLE_BARE;
}

const struct service *service_pick(struct rng *r)
{
    static const double floor_share = 4.0; /* scanners are less one-sided than bots */
    double sum = 0.0;
    for (size_t i = 0; i < service_count; i++)
        sum += services[i].port ? sqrt(services[i].share * floor_share) : 0.0;
    double at = rng_unit(r) * sum;
    size_t last = 0;
    for (size_t i = 0; i < service_count && at >= 0.0; i++) {
        if (!services[i].port)
            continue;
        at -= sqrt(services[i].share * floor_share);
        last = i;
    }
    return &services[last];
}

uint16_t service_rare_port(uint64_t key, struct rng *r)
{
    uint32_t rank = (uint32_t)exp(rng_unit(r) * 11.09); /* 1..65,500: density 1/rank */
    uint64_t mixed = hash_two(key, rank);
    return (uint16_t)(1 + mixed % 65535);
}

uint16_t service_free_port(uint8_t proto, struct rng *r)
{
    uint16_t port;
    do
        port = (uint16_t)(1024 + rng_below(r, 64512));
    while (service_rate(proto, port) > 0.0);
    return port;
}

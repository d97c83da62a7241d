/* Look-ups of random addresses in Debian's databases (tor-geoipdb, libloc-database), where they
 * are installed: country and network together, and one of them alone. */
#include "base/rng.h"
#include "bench.h"
#include "geo/geo.h"

#include <unistd.h>

enum {
    ADDRESSES = 1 << 16,
    ROUNDS = 60
};

static void measure(const struct geo *g, const char *name, const struct ip *ips)
{
    struct bench b = {0};
    uint64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        bench_begin(&b);
        for (size_t i = 0; i < ADDRESSES; i++) {
            struct geo_place place;
            geo_find(g, &ips[i], &place);
            sum += place.asn + (uint8_t)place.country[0];
        }
        bench_end(&b);
    }
    bench_print(&b, name, "addresses", ADDRESSES);
    if (sum == 1)
        printf("\n");
}

static int run(const char *name, const char *const *files, size_t count, const struct ip *v4,
    const struct ip *v6)
{
    struct geo *g;
    struct fault f;
    struct bench b = {0};
    char text[64];
    bench_begin(&b);
    if (geo_open(&g, &(struct geo_options){.files = files, .file_count = count}, &f)) {
        printf("skipped: %s\n", f.text);
        return 0;
    }
    bench_end(&b);
    snprintf(text, sizeof text, "open %s", name);
    bench_print(&b, text, "databases", 1);
    snprintf(text, sizeof text, "%s IPv4", name);
    measure(g, text, v4);
    snprintf(text, sizeof text, "%s IPv6", name);
    measure(g, text, v6);
    geo_close(g);
    return 0;
}

int main(void)
{
    static const char *const files[] = {"/usr/share/tor/geoip", "/usr/share/tor/geoip6",
        "/usr/share/libloc-location/location.db"};
    struct ip *v4 = malloc(ADDRESSES * sizeof *v4);
    struct ip *v6 = malloc(ADDRESSES * sizeof *v6);
    struct rng r;
    if (!v4 || !v6)
        return 1;
    rng_seed(&r, 1);
    for (size_t i = 0; i < ADDRESSES; i++) {
        v4[i] = ip_from_v4(rng_u32(&r));
        for (int k = 0; k < 16; k++)
            v6[i].byte[k] = (uint8_t)rng_u32(&r);
        v6[i].byte[0] = (uint8_t)(0x20 + rng_below(&r, 11));
        v6[i].byte[1] &= 0x0f;
    }
    int failed =
        run("country", files, 2, v4, v6) || run("country and network", files, 3, v4, v6);
    free(v4);
    free(v6);
    return failed;
}

/* The parsers of short texts. Whatever they accept they can print, and what was printed is
 * parsed to the same value: print . parse = identity on values. */
#include "base/clock.h"
#include "base/ip.h"
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void try_time(const char *text)
{
    int64_t us;
    int64_t again;
    char shown[TIME_TEXT];
    if (time_parse(text, &us) == OK)
        assert(time_parse(time_format(us, shown), &again) == OK && again == us);
}

/* At most two units are shown, so the first print may lose the rest; after that nothing is. */
static void try_duration(const char *text)
{
    int64_t us;
    int64_t cut;
    int64_t again;
    char shown[TIME_TEXT];
    if (duration_parse(text, &us) != OK)
        return;
    assert(us >= 0);
    assert(duration_parse(duration_format(us, shown), &cut) == OK && cut <= us);
    assert(duration_parse(duration_format(cut, shown), &again) == OK && again == cut);
}

static void try_ip(const char *text)
{
    struct ip ip;
    struct ip again;
    char shown[IP_TEXT];
    if (ip_parse(text, &ip) == OK)
        assert(ip_parse(ip_format(&ip, shown), &again) == OK && ip_same(&ip, &again));
}

static void try_prefix(const char *text, bool lenient)
{
    struct prefix p;
    struct prefix again;
    char address[IP_TEXT];
    char shown[IP_TEXT + 8];
    if (prefix_parse(text, lenient, &p) != OK)
        return;
    struct ip last = prefix_last(&p);
    assert(prefix_holds(&p, &p.ip) && prefix_holds(&p, &last));
    bool v4 = ip_is_v4(&p.ip);
    assert(p.bits <= 128);
    if (v4 && p.bits < 96)
        return; /* has no text as IPv4 */
    snprintf(
        shown, sizeof shown, "%s/%d", ip_format(&p.ip, address), v4 ? p.bits - 96 : p.bits);
    assert(prefix_parse(shown, false, &again) == OK);
    assert(ip_same(&p.ip, &again.ip) && p.bits == again.bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    try_time(text);
    try_duration(text);
    try_ip(text);
    try_prefix(text, false);
    try_prefix(text, true);
    free(text);
    return 0;
}

#include "anon/name.h"

#include "anon/anon_int.h"

#include <ctype.h>
#include <libpsl.h>
#include <string.h>

/* Labels of a name get a keyed hash each; the public suffix, by Mozilla's list as libpsl has
 * it, stays. Names under in-addr.arpa and ip6.arpa spell an address, and are made anew from the
 * address as the field source has it. */

enum {
    LABEL_LETTERS = 12, /* 60 bits */
    NIBBLES6 = 32,
};

static const char letters[] = "0123456789abcdefghijklmnopqrstuv";

/* The hash of a name from one of its labels on. */
static void label_hash(const struct epoch *e, const char *rest, char out[LABEL_LETTERS])
{
    uint8_t digest[EPOCH_DIGEST];
    uint64_t bits;
    epoch_digest(e, ANON_DNS, rest, strlen(rest), digest);
    memcpy(&bits, digest, sizeof bits);
    for (unsigned i = 0; i < LABEL_LETTERS; i++, bits >>= 5)
        out[i] = letters[bits & 31];
}

/* Where the public suffix of a name begins: its end if it has none that anybody knows, for then
 * not even the last label is public. */
static const char *suffix_of(const char *name)
{
    const psl_ctx_t *list = psl_builtin();
    const char *last = strrchr(name, '.');
    last = last ? last + 1 : name;
    if (!list || !psl_is_public_suffix2(list, last, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
        return name + strlen(name);
    const char *suffix = psl_unregistrable_domain(list, name);
    return suffix ? suffix : name;
}

static void hash_labels(const struct epoch *e, const char *name, char out[ANON_NAME_ROOM])
{
    const char *suffix = suffix_of(name);
    size_t used = 0;
    for (const char *at = name; at < suffix;) {
        label_hash(e, at, out + used);
        used += LABEL_LETTERS;
        at += strcspn(at, ".");
        at += *at == '.';
        if (*at)
            out[used++] = '.';
    }
    memcpy(out + used, suffix, strlen(suffix) + 1);
}

/* The registered name: one label before the public suffix. Without a suffix that anybody knows
 * there is none, and all labels are hashed. */
static void domain_only(const struct epoch *e, const char *name, char out[ANON_NAME_ROOM])
{
    const char *suffix = suffix_of(name);
    if (!*suffix) {
        hash_labels(e, name, out);
        return;
    }
    const char *at = suffix;
    if (at > name)
        for (at--; at > name && at[-1] != '.';)
            at--;
    memcpy(out, at, strlen(at) + 1);
}

static bool reverse4_read(const char *name, struct ip *ret_ip)
{
    uint8_t byte[4];
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        for (; *name >= '0' && *name <= '9' && digits < 3; name++, digits++)
            value = value * 10 + (unsigned)(*name - '0');
        if (!digits || value > 255 || *name++ != '.')
            return false;
        byte[3 - i] = (uint8_t)value;
    }
    *ret_ip = ip_from_v4(
        (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3]);
    return strcmp(name, "in-addr.arpa") == 0;
}

static bool reverse6_read(const char *name, struct ip *ret_ip)
{
    static const char hex[] = "0123456789abcdef";
    struct ip ip = {{0}};
    for (unsigned i = 0; i < NIBBLES6; i++, name += 2) {
        const char *digit = *name ? strchr(hex, *name) : NULL;
        if (!digit || name[1] != '.')
            return false;
        unsigned place = NIBBLES6 - 1 - i;
        ip.byte[place / 2] |= (uint8_t)((digit - hex) << (place % 2 ? 0 : 4));
    }
    *ret_ip = ip;
    return strcmp(name, "ip6.arpa") == 0;
}

static void reverse_write(const struct ip *ip, char out[ANON_NAME_ROOM])
{
    if (ip_is_v4(ip)) {
        snprintf(out, ANON_NAME_ROOM, "%u.%u.%u.%u.in-addr.arpa", ip->byte[15], ip->byte[14],
            ip->byte[13], ip->byte[12]);
        return;
    }
    size_t used = 0;
    for (unsigned i = NIBBLES6; i-- > 0;) {
        unsigned nibble = i % 2 ? ip->byte[i / 2] & 15u : ip->byte[i / 2] >> 4;
        used += (size_t)snprintf(out + used, ANON_NAME_ROOM - used, "%x.", nibble);
    }
    snprintf(out + used, ANON_NAME_ROOM - used, "ip6.arpa");
}

/* Lower case, no last dot. False: empty or too long. */
static bool name_clean(const char *name, char clean[ANON_NAME_MAX + 1])
{
    size_t len = strnlen(name, ANON_NAME_MAX + 2);
    if (len && name[len - 1] == '.')
        len--;
    if (!len || len > ANON_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        clean[i] = (char)tolower((unsigned char)name[i]);
    clean[len] = '\0';
    return true;
}

void name_map(
    const struct epoch *e, enum anon_method method, const char *name, char out[ANON_NAME_ROOM])
{
    char clean[ANON_NAME_MAX + 1];
    struct ip ip;
    out[0] = '\0';
    if (method == ANON_DROP || !name_clean(name, clean))
        return;
    if (ip_parse(clean, &ip) == OK) {
        address_map(&e->address[ANON_SOURCE], &ip, 1);
        ip_format(&ip, out);
    } else if (method == ANON_KEEP) {
        memcpy(out, clean, strlen(clean) + 1);
    } else if (reverse4_read(clean, &ip) || reverse6_read(clean, &ip)) {
        address_map(&e->address[ANON_SOURCE], &ip, 1);
        reverse_write(&ip, out);
    } else if (method == ANON_DOMAIN) {
        domain_only(e, clean, out);
    } else {
        hash_labels(e, clean, out);
    }
}

enum err anon_name(struct anon *a, int64_t ts, const char *name, char ret_name[ANON_NAME_ROOM],
    struct fault *f)
{
    const struct epoch *e;
    enum err err = anon_epoch(a, ts, &e, f);
    if (!err)
        name_map(e, a->policy.rule[ANON_DNS].method, name, ret_name);
    return err;
}

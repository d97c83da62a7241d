#include "anon/log_int.h"

#include "base/clock.h"
#include "record/proto.h"

#include <stdlib.h>
#include <string.h>

/* Column names of Zeek's dns.log and http.log, of passive DNS, and of those who write JSON. */
static const struct {
    const char *name;
    enum log_kind kind;
} rows[] = {
    {"ts", LOG_TIME},
    {"time", LOG_TIME},
    {"timestamp", LOG_TIME},
    {"@timestamp", LOG_TIME},
    {"time_first", LOG_TIME},
    {"time_last", LOG_TIME},
    {"id.orig_h", LOG_SOURCE},
    {"src", LOG_SOURCE},
    {"src_ip", LOG_SOURCE},
    {"client", LOG_SOURCE},
    {"client_ip", LOG_SOURCE},
    {"query_address", LOG_SOURCE},
    {"id.resp_h", LOG_DESTINATION},
    {"dst", LOG_DESTINATION},
    {"dst_ip", LOG_DESTINATION},
    {"dest_ip", LOG_DESTINATION},
    {"server", LOG_DESTINATION},
    {"response_address", LOG_DESTINATION},
    {"id.orig_p", LOG_SPORT},
    {"src_port", LOG_SPORT},
    {"sport", LOG_SPORT},
    {"client_port", LOG_SPORT},
    {"query_port", LOG_SPORT},
    {"id.resp_p", LOG_DPORT},
    {"dst_port", LOG_DPORT},
    {"dest_port", LOG_DPORT},
    {"dport", LOG_DPORT},
    {"response_port", LOG_DPORT},
    {"query", LOG_DNS_NAME},
    {"qname", LOG_DNS_NAME},
    {"query_name", LOG_DNS_NAME},
    {"rrname", LOG_DNS_NAME},
    {"name", LOG_DNS_NAME},
    {"domain", LOG_DNS_NAME},
    {"host", LOG_DNS_NAME},
    {"server_name", LOG_DNS_NAME},
    {"answers", LOG_NAMES},
    {"uri", LOG_URI},
    {"url", LOG_URI},
    {"proto", LOG_KEPT},
    {"qclass", LOG_KEPT},
    {"qclass_name", LOG_KEPT},
    {"qtype", LOG_KEPT},
    {"qtype_name", LOG_KEPT},
    {"rrtype", LOG_KEPT},
    {"rcode", LOG_KEPT},
    {"rcode_name", LOG_KEPT},
    {"rtt", LOG_KEPT},
    {"AA", LOG_KEPT},
    {"TC", LOG_KEPT},
    {"RD", LOG_KEPT},
    {"RA", LOG_KEPT},
    {"Z", LOG_KEPT},
    {"TTLs", LOG_KEPT},
    {"rejected", LOG_KEPT},
    {"count", LOG_KEPT},
    {"method", LOG_KEPT},
    {"version", LOG_KEPT},
    {"status_code", LOG_KEPT},
    {"request_body_len", LOG_KEPT},
    {"response_body_len", LOG_KEPT},
};

enum log_kind log_kind_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return rows[i].kind;
    return LOG_DROPPED;
}

/* "1258531221.486539" */
static bool seconds_read(const char *text, int64_t *ret_us)
{
    int64_t us = 0;
    unsigned digits = 0, fraction = 0;
    for (; *text >= '0' && *text <= '9' && digits < 11; text++, digits++)
        us = us * 10 + (*text - '0');
    if (!digits)
        return false;
    us *= US_SECOND;
    int64_t unit = US_SECOND;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, fraction++) {
            unit /= 10;
            us += unit * (*text - '0');
        }
    *ret_us = us;
    return !*text;
}

/* "23-Nov-2026 08:00:00.123": named's, taken as UTC. */
static bool named_read(const char *text, int64_t *ret_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[64], month[4] = "";
    if (strlen(text) < 20 || text[2] != '-' || text[6] != '-' || text[11] != ' ')
        return false;
    memcpy(month, text + 3, 3);
    const char *at = strstr(months, month);
    if (!at || (at - months) % 3)
        return false;
    snprintf(iso, sizeof iso, "%.4s-%02d-%.2sT%.20sZ", text + 7, (int)(at - months) / 3 + 1,
        text, text + 12);
    return time_parse(iso, ret_us) == OK;
}

bool log_time_read(const char *text, int64_t *ret_us)
{
    return seconds_read(text, ret_us) || time_parse(text, ret_us) == OK ||
           named_read(text, ret_us);
}

/* How many digits a time has after its point; none without one, six at most. */
static int digits_of(const char *text)
{
    const char *point = strchr(text, '.');
    size_t digits = point ? strspn(point + 1, "0123456789") : 0;
    return digits < 6 ? (int)digits : 6;
}

/* In the form that it had, with as many digits. */
static bool time_value(const struct anon_log *l, const char *text, char *out)
{
    int64_t us;
    char form[TIME_TEXT], fraction[8];
    if (!log_time_read(text, &us))
        return false;
    int64_t ts = anon_time(l->a, us);
    int64_t second = time_floor(ts, US_SECOND);
    int digits = digits_of(text);
    snprintf(fraction, sizeof fraction, ".%06d", (int)(ts - second));
    fraction[digits ? digits + 1 : 0] = 0;
    if (seconds_read(text, &us)) {
        snprintf(out, LOG_VALUE_ROOM, "%lld%s", (long long)(second / US_SECOND), fraction);
        return true;
    }
    time_format(second, form);
    form[strcspn(form, "Z")] = 0;
    snprintf(out, LOG_VALUE_ROOM, "%s%sZ", form, fraction);
    return true;
}

static bool address_value(
    const struct epoch *e, enum anon_field field, const char *text, char *out)
{
    struct ip ip;
    char form[IP_TEXT];
    if (ip_parse(text, &ip) != OK)
        return false;
    address_map(&e->address[field], &ip, 1);
    snprintf(out, LOG_VALUE_ROOM, "%s", ip_format(&ip, form));
    return true;
}

static bool port_value(
    const struct anon_log *l, enum anon_field field, const char *text, char *out)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (end == text || *end || port > UINT16_MAX)
        return false;
    snprintf(out, LOG_VALUE_ROOM, "%u", anon_port(l->a, field, PROTO_UDP, (uint16_t)port));
    return true;
}

static bool name_value(
    const struct anon_log *l, const struct epoch *e, const char *text, char *out)
{
    char mapped[ANON_NAME_ROOM];
    name_map(e, l->a->policy.rule[ANON_DNS].method, text, mapped);
    snprintf(out, LOG_VALUE_ROOM, "%s", mapped);
    return *out;
}

/* As many as fit; an answer that is neither name nor address (TXT) is hashed as a name is. */
static bool names_value(
    const struct anon_log *l, const struct epoch *e, const char *text, char *out)
{
    size_t used = 0;
    for (;;) {
        size_t len = strcspn(text, ",");
        char one[ANON_NAME_MAX + 1], mapped[ANON_NAME_ROOM];
        snprintf(
            one, sizeof one, "%.*s", (int)(len > ANON_NAME_MAX ? ANON_NAME_MAX : len), text);
        name_map(e, l->a->policy.rule[ANON_DNS].method, one, mapped);
        if (*mapped && used + strlen(mapped) + 2 < LOG_VALUE_ROOM)
            used += (size_t)snprintf(
                out + used, LOG_VALUE_ROOM - used, "%s%s", used ? "," : "", mapped);
        if (!text[len])
            return used;
        text += len + 1;
    }
}

bool log_value(struct anon_log *l, const struct epoch *e, enum log_kind kind, const char *text,
    char out[LOG_VALUE_ROOM])
{
    out[0] = '\0';
    switch (kind) {
    case LOG_DROPPED:
        return false;
    case LOG_KEPT:
        snprintf(out, LOG_VALUE_ROOM, "%s", text);
        return true;
    case LOG_TIME:
        return time_value(l, text, out);
    case LOG_SOURCE:
        return address_value(e, ANON_SOURCE, text, out);
    case LOG_DESTINATION:
        return address_value(e, ANON_DESTINATION, text, out);
    case LOG_SPORT:
        return port_value(l, ANON_SOURCE_PORT, text, out);
    case LOG_DPORT:
        return port_value(l, ANON_DESTINATION_PORT, text, out);
    case LOG_DNS_NAME:
        return name_value(l, e, text, out);
    case LOG_NAMES:
        return names_value(l, e, text, out);
    case LOG_URI:
        url_map(e, &l->a->policy, text, out);
        return *out;
    }
    return false;
}

#include "cmd/ask_args.h"

#include "base/clock.h"
#include "record/proto.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void text_take(char *to, size_t len, const char *text)
{
    snprintf(to, len, "%s", text ? text : "");
}

static enum err ask_source(struct ask *a, const char *text, struct fault *f)
{
    if (!text)
        return OK;
    if (prefix_parse(text, false, &a->src) != OK)
        return fault_set(f, ERR_BAD,
            "--src: \"%.80s\" is no address or prefix such as 192.0.2.7 or 2001:db8::/32",
            text);
    a->has_src = true;
    return OK;
}

static enum err ask_span(struct ask *a, const struct conf *conf, struct fault *f)
{
    a->from = conf_given(conf, "from") ? conf_us(conf, "from") : 0;
    a->to = conf_given(conf, "to") ? conf_us(conf, "to") : 0;
    if (a->from && a->to && a->from >= a->to)
        return fault_set(f, ERR_RANGE, "--from is not before --to");
    if (a->from && !a->to)
        a->to = INT64_C(253402300800) * US_SECOND;
    return OK;
}

static enum err ask_service(struct ask *a, const struct conf *conf, struct fault *f)
{
    const char *proto = conf_text(conf, "proto");
    uint8_t number = 0;
    if (proto && proto_parse(proto, &number) != OK)
        return fault_set(f, ERR_BAD,
            "--proto: \"%.40s\" is not tcp, udp, icmp, icmpv6 or a number from 0 to 255",
            proto);
    if (proto)
        a->proto = number;
    if (conf_given(conf, "port"))
        a->port = (int)conf_count(conf, "port");
    return OK;
}

enum err ask_from_conf(
    struct ask *ret_ask, enum ask_what what, const struct conf *conf, struct fault *f)
{
    struct ask a;
    ask_init(&a, what);
    text_take(a.site, sizeof a.site, conf_text(conf, "site"));
    text_take(a.country, sizeof a.country, conf_text(conf, "country"));
    for (char *c = a.country; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    text_take(a.tool, sizeof a.tool, conf_text(conf, "tool"));
    text_take(a.class, sizeof a.class, conf_text(conf, "class"));
    if (conf_given(conf, "asn"))
        a.asn = (int64_t)conf_count(conf, "asn");
    a.limit = conf_count(conf, "limit");
    enum err e = ask_span(&a, conf, f);
    if (!e)
        e = ask_service(&a, conf, f);
    if (!e)
        e = ask_source(&a, conf_text(conf, "src"), f);
    if (!e)
        *ret_ask = a;
    return e;
}

static void query_text(struct buf *out, const char *name, const char *value)
{
    if (!*value)
        return;
    buf_printf(out, "&%s=", name);
    for (; *value; value++)
        if (isalnum((unsigned char)*value) || strchr("-._~", *value))
            buf_u8(out, (uint8_t)*value);
        else
            buf_printf(out, "%%%02X", (unsigned char)*value);
}

static void query_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];
    if (us)
        query_text(out, name, time_format(us, text));
}

static void query_source(struct buf *out, const struct ask *a)
{
    char ip[IP_TEXT];
    char text[IP_TEXT + 8];
    if (!a->has_src)
        return;
    int bits = ip_is_v4(&a->src.ip) && a->src.bits >= 96 ? a->src.bits - 96 : a->src.bits;
    if (a->src.bits == 128)
        snprintf(text, sizeof text, "%s", ip_format(&a->src.ip, ip));
    else
        snprintf(text, sizeof text, "%s/%d", ip_format(&a->src.ip, ip), bits);
    query_text(out, "src", text);
}

void ask_query(const struct ask *a, enum ask_format format, struct buf *out)
{
    static const char *const by[] = {"", "site", "country", "tool", "class", "asn", "port"};
    static const char *const measures[] = {"packets", "sources", "bytes"};
    char number[32];
    buf_printf(out, "?format=%s", format == FORMAT_CSV ? "csv" : "json");
    query_time(out, "from", a->from);
    query_time(out, "to", a->to);
    query_text(out, "site", a->site);
    query_text(out, "country", a->country);
    query_text(out, "tool", a->tool);
    query_text(out, "class", a->class);
    if (a->proto >= 0)
        query_text(out, "proto", proto_format((uint8_t)a->proto, number));
    if (a->port >= 0)
        buf_printf(out, "&port=%d", a->port);
    if (a->asn >= 0)
        buf_printf(out, "&asn=%lld", (long long)a->asn);
    if (a->what != ASK_SOURCE)
        query_source(out, a);
    if (a->limit && a->what != ASK_SITES && a->what != ASK_SERIES)
        buf_printf(out, "&limit=%zu", a->limit);
    if (a->what == ASK_SERIES) {
        query_text(out, "by", by[a->by]);
        query_text(out, "measure", measures[a->measure]);
        if (a->step)
            buf_printf(out, "&step=%llds", (long long)(a->step / US_SECOND));
    }
}

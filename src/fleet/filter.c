#include "fleet/filter.h"

#include "base/ip.h"

#include <ctype.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

/* Link types of frames, and libpcap's numbers for them; the first is what an expression is
 * checked for. */
static const struct link {
    uint32_t link;
    int dlt;
} links[] = {
    {1, DLT_EN10MB},
    {12, DLT_RAW},
    {101, DLT_RAW},
    {0, DLT_NULL},
    {108, DLT_LOOP},
    {113, DLT_LINUX_SLL},
    {228, DLT_IPV4},
    {229, DLT_IPV6},
    {276, DLT_LINUX_SLL2},
};

enum {
    LINKS = sizeof links / sizeof *links
};

struct filter {
    bool all;                          /* everything passes */
    struct bpf_program program[LINKS]; /* of no instructions: nothing of this link does */
};

/* The words of pcap-filter(7) that name no host, service or network. */
static const char *const words[] = {"ah", "and", "arp", "atalk", "broadcast", "carp", "decnet",
    "dir", "dst", "esp", "ether", "fddi", "geneve", "greater", "host", "icmp", "icmp6",
    "icmp-echo", "icmp-echoreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreply",
    "icmp-maskreq", "icmp-paramprob", "icmp-redirect", "icmp-routeradvert",
    "icmp-routersolicit", "icmp-sourcequench", "icmp-timxceed", "icmp-tstamp",
    "icmp-tstampreply", "icmp-unreach", "icmp6-destinationunreach", "icmp6-echo",
    "icmp6-echoreply", "icmp6-neighboradvert", "icmp6-neighborsolicit", "icmp6-packettoobig",
    "icmp6-parameterproblem", "icmp6-redirect", "icmp6-routeradvert", "icmp6-routersolicit",
    "icmp6-timeexceeded", "icmp6code", "icmp6type", "icmpcode", "icmptype", "igmp", "igrp",
    "inbound", "ip", "ip6", "ipx", "iso", "len", "less", "link", "llc", "mask", "mpls",
    "multicast", "net", "not", "or", "outbound", "pim", "port", "portrange", "ppp", "pppoed",
    "pppoes", "proto", "protochain", "radio", "rarp", "sctp", "slip", "src", "stp", "tcp",
    "tcp-ack", "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn", "tcp-urg",
    "tcpflags", "tr", "type", "udp", "vlan", "vrrp", "vxlan", "wlan"};

static bool is_word(const char *text)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], text) == 0)
            return true;
    return false;
}

static bool is_number(const char *text)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
    const char *at = hex ? text + 2 : text;
    return *at && strspn(at, digits) == strlen(at);
}

static bool is_range(const char *text)
{
    size_t first = strspn(text, "0123456789");
    return first && text[first] == '-' && is_number(text + first + 1);
}

bool filter_is_ether(const char *text)
{
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 17; i++)
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

/* "192.0.2" and "10" are nets, too; with more numbers it were a name to libpcap. */
static bool is_net(const char *text)
{
    static const char digits[] = "0123456789";
    size_t len = 0;
    for (int numbers = 1; numbers <= 4; numbers++) {
        size_t number = strspn(text + len, digits);
        if (!number)
            return false;
        len += number;
        if (text[len] != '.')
            break;
        len++;
    }
    if (text[len] == '/' && text[len + 1])
        len += 1 + strspn(text + len + 1, digits);
    return !text[len] && text[len - 1] != '.';
}

static bool is_address(const char *text)
{
    struct ip ip;
    struct prefix prefix;
    return ip_parse(text, &ip) == OK || prefix_parse(text, true, &prefix) == OK;
}

/* Arithmetic on a packet's bytes: -4, 0:2, /2 in tcp[12:1]-4 and ip[0:2]/2. */
static bool is_sum(const char *text)
{
    size_t sign = text[0] == '-';
    return strspn(text + sign, "0123456789:/") == strlen(text + sign);
}

/* What a number or name after it is, which may stand far before it: "portrange 1-5 or 7-9". */
static bool is_type(const char *text)
{
    return strcmp(text, "host") == 0 || strcmp(text, "net") == 0 || strcmp(text, "port") == 0 ||
           strcmp(text, "proto") == 0;
}

/* `ranges`: the type is portrange; as any other, "1-5" were a name to libpcap. */
static enum err check_word(const char *text, bool ranges, struct fault *f)
{
    if (is_word(text) || is_number(text) || (ranges && is_range(text)) ||
        filter_is_ether(text) || is_net(text) || is_address(text) || is_sum(text))
        return OK;
    return fault_set(f, ERR_BAD,
        "filter: \"%.60s\" is no word of pcap-filter(7), number or address; hosts, networks "
        "and services are not looked up by name",
        text);
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr(".:/_-", c));
}

static enum err misplaced(char c, struct fault *f)
{
    return isprint((unsigned char)c)
               ? fault_set(f, ERR_BAD, "filter: the character \"%c\" has no place here", c)
               : fault_set(f, ERR_BAD, "filter: a character (%u) has no place here",
                     (unsigned)(unsigned char)c);
}

/* The word at `text`, of `len` bytes. */
static enum err check_token(const char *text, size_t len, bool *ranges, struct fault *f)
{
    char word[64];
    if (len >= sizeof word)
        return fault_set(f, ERR_BAD, "filter: \"%.40s...\" is too long for a word", text);
    memcpy(word, text, len);
    word[len] = 0;
    *ranges = strcmp(word, "portrange") == 0 || (*ranges && !is_type(word));
    return check_word(word, *ranges, f);
}

enum err filter_words_check(const char *text, struct fault *f)
{
    static const char between[] = " \t\r\n()[]!&|<>=+*%^,\\~";
    bool ranges = false;
    for (const char *at = text; *at;) {
        size_t len = 0;
        while (in_word(at[len]))
            len++;
        if (!len && !strchr(between, *at))
            return misplaced(*at, f);
        enum err e = len ? check_token(at, len, &ranges, f) : OK;
        if (e)
            return e;
        at += len ? len : 1;
    }
    return OK;
}

static enum err compile(struct bpf_program *program, const char *text, int dlt, struct fault *f)
{
    pcap_t *none = pcap_open_dead(dlt, 65535);
    if (!none)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = OK;
    if (pcap_compile(none, program, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        e = fault_set(f, ERR_BAD,
            "filter: %s; an expression of pcap-filter(7) is expected, such as 'dst net "
            "192.0.2.0/24'",
            pcap_geterr(none));
    pcap_close(none);
    return e;
}

static enum err compile_all(struct filter *filter, const char *text, struct fault *f)
{
    enum err e = compile(&filter->program[0], text, links[0].dlt, f);
    for (size_t i = 1; i < LINKS && !e; i++)
        if (compile(&filter->program[i], text, links[i].dlt, NULL) == ERR_NOMEM)
            e = fault_set(f, ERR_NOMEM, "out of memory");
    return e;
}

enum err filter_new(struct filter **ret_filter, const char *text, struct fault *f)
{
    if (strlen(text) >= FILTER_MAX)
        return fault_set(f, ERR_BAD, "filter: longer than %d bytes", FILTER_MAX - 1);
    enum err e = filter_words_check(text, f);
    if (e)
        return e;
    struct filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return fault_set(f, ERR_NOMEM, "out of memory");
    filter->all = !text[strspn(text, " \t\r\n")];
    if (!filter->all)
        e = compile_all(filter, text, f);
    if (e)
        filter_free(filter);
    else
        *ret_filter = filter;
    return e;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < LINKS; i++)
        pcap_freecode(&filter->program[i]);
    free(filter);
}

bool filter_passes(const struct filter *filter, uint32_t link, const uint8_t *data,
    uint32_t len, uint32_t wire_len)
{
    if (filter->all)
        return true;
    for (size_t i = 0; i < LINKS; i++)
        if (links[i].link == link)
            return filter->program[i].bf_len &&
                   bpf_filter(filter->program[i].bf_insns, data, wire_len, len) != 0;
    return false;
}

/* Text as in tor-geoipdb: "FIRST,LAST,CC" a line, addresses as whole numbers (IPv4) or text
 * (IPv6), comments after '#'. The comments at the top say where the data comes from. */
#include "base/clock.h"
#include "geo/geo_int.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 200
};

/* The next line without its end, copied; false at the end of the input. A line that does not
 * fit is cut, which makes it a bad line. */
static bool next_line(struct bytes *in, char line[LINE_MAX_BYTES])
{
    if (!in->left)
        return false;
    const uint8_t *end = memchr(in->at, '\n', in->left);
    size_t len = end ? (size_t)(end - in->at) : in->left;
    size_t copied = len < LINE_MAX_BYTES - 1 ? len : LINE_MAX_BYTES - 1;
    memcpy(line, in->at, copied);
    line[copied] = '\0';
    if (copied && line[copied - 1] == '\r')
        line[copied - 1] = '\0';
    bytes_skip(in, end ? len + 1 : len);
    return true;
}

/* A whole number of at most four digits at *text, which moves behind it; -1 if there is none.
 */
static int parse_small(const char **text)
{
    int value = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 4; ++*text, digits++)
        value = value * 10 + (**text - '0');
    return digits ? value : -1;
}

/* "Thu, 25 Jun 2026 04:33:59 GMT" -> its day; 0 if it is something else. */
static int64_t parse_date(const char *text)
{
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char iso[TIME_TEXT];
    int64_t us;
    text = strchr(text, ',');
    if (!text)
        return 0;
    text += 1 + strspn(text + 1, " ");
    int day = parse_small(&text);
    text += strspn(text, " ");
    int month = 0;
    while (month < 12 && strncmp(text, months[month], 3) != 0)
        month++;
    if (month == 12)
        return 0;
    text += 3 + strspn(text + 3, " ");
    int year = parse_small(&text);
    snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, month + 1, day);
    return time_parse(iso, &us) ? 0 : us;
}

/* The text after "# key:", without blanks before it; NULL if the line is not about `key`. */
static const char *after_key(const char *line, const char *key)
{
    line++;
    line += strspn(line, " ");
    size_t len = strlen(key);
    if (strncmp(line, key, len) != 0 || line[len] != ':')
        return NULL;
    line += len + 1;
    return line + strspn(line, " ");
}

static void read_comment(struct geo_about *about, const char *line)
{
    const char *text;
    if ((text = after_key(line, "Vendor")))
        snprintf(about->origin, sizeof about->origin, "%s", text);
    else if ((text = after_key(line, "License")))
        snprintf(about->licence, sizeof about->licence, "%s", text);
    else if ((text = after_key(line, "Generated")))
        about->date = parse_date(text);
}

/* A whole number below 2^32 without sign, or an IPv6 address. */
static bool parse_address(const char *text, struct ip *ret_ip)
{
    if (strchr(text, ':'))
        return !ip_parse(text, ret_ip) && !ip_is_v4(ret_ip);
    uint64_t value = 0;
    size_t len = strspn(text, "0123456789");
    if (!len || len > 10 || text[len])
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value > UINT32_MAX)
        return false;
    *ret_ip = ip_from_v4((uint32_t)value);
    return true;
}

static bool is_code(const char *text)
{
    if (strlen(text) != 2)
        return false;
    if (strcmp(text, "??") == 0)
        return true;
    for (int i = 0; i < 2; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && !(i && text[i] >= '0' && text[i] <= '9'))
            return false;
    return true;
}

static enum err read_row(struct geo_read *r, char *line)
{
    struct ip first, last;
    char *last_text = strchr(line, ',');
    char *code = last_text ? strchr(last_text + 1, ',') : NULL;
    if (!code)
        return ERR_BAD;
    *last_text++ = '\0';
    *code++ = '\0';
    if (!parse_address(line, &first) || !parse_address(last_text, &last) || !is_code(code))
        return ERR_BAD;
    struct range_span span;
    return geo_span(&first, &last, &span) ? geo_read_country(r, &span, code) : ERR_RANGE;
}

/* ---- nearly all lines are plain: read without copying them ---- */

/* One more than the value of a hexadecimal digit; 0 for all other bytes. */
static const uint8_t digit_value[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16,
    ['A'] = 11,
    ['B'] = 12,
    ['C'] = 13,
    ['D'] = 14,
    ['E'] = 15,
    ['F'] = 16,
};

/* A whole number up to the comma after it. */
static bool plain_number(struct bytes *in, struct range_key *ret_key)
{
    uint64_t value = 0;
    size_t len = 0;
    while (len < in->left && len < 10 && in->at[len] >= '0' && in->at[len] <= '9')
        value = value * 10 + (in->at[len++] - (uint64_t)'0');
    bytes_skip(in, len);
    *ret_key = (struct range_key){.low = value};
    return len && value <= UINT32_MAX && bytes_u8(in) == ',';
}

/* The groups of an address of IPv6 as far as they go: up to eight, and where "::" stood. */
struct groups {
    uint64_t value[8];
    size_t count;
    size_t gap; /* groups before it; SIZE_MAX: there is none */
};

/* The digits of a group; false if there are too many, or none where a group must be. */
static inline bool plain_group(const uint8_t **at, const uint8_t *end, struct groups *g)
{
    uint64_t value = 0;
    const uint8_t *first = *at;
    for (; *at < end && digit_value[**at]; ++*at)
        value = value << 4 | (digit_value[**at] - 1u);
    size_t digits = (size_t)(*at - first);
    if (*at == end || digits > 4)
        return false;
    if (!digits)
        return g->gap == g->count && **at == ',';
    if (g->count == 8)
        return false;
    g->value[g->count++] = value;
    return true;
}

/* Groups up to the comma after them; "::" at most once. */
static bool plain_groups(struct bytes *in, struct groups *g)
{
    const uint8_t *at = in->at, *end = in->at + in->left;
    g->count = 0;
    g->gap = SIZE_MAX;
    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        g->gap = 0;
        at += 2;
    }
    while (plain_group(&at, end, g)) {
        uint8_t mark = *at++;
        bytes_skip(in, (size_t)(at - in->at));
        if (mark == ',')
            return g->gap == SIZE_MAX ? g->count == 8 : g->count < 8;
        if (mark != ':')
            return false;
        if (at < end && *at == ':') {
            if (g->gap != SIZE_MAX)
                return false;
            g->gap = g->count;
            at++;
        }
    }
    return false;
}

/* Groups `from` to `to` as one number. */
static uint64_t groups_number(const struct groups *g, size_t from, size_t to)
{
    uint64_t number = 0;
    for (size_t i = from; i < to; i++)
        number = number << 16 | g->value[i];
    return number;
}

/* The groups as they stand from the left, and those after the gap from the right. */
static struct range_key groups_key(const struct groups *g)
{
    size_t before = g->gap < g->count ? g->gap : g->count, after = g->count - before;
    struct range_key key = {0};
    if (before)
        key.high = groups_number(g, 0, before < 4 ? before : 4)
                   << 16 * (before < 4 ? 4 - before : 0);
    if (before > 4)
        key.low = groups_number(g, 4, before) << 16 * (8 - before);
    if (after > 4)
        key.high |= groups_number(g, before, g->count - 4);
    if (after)
        key.low |= groups_number(g, after > 4 ? g->count - 4 : before, g->count);
    return key;
}

/* An address of IPv6, up to the comma after it. */
static bool plain_ip6(struct bytes *in, struct range_key *ret_key)
{
    struct groups g;
    if (!plain_groups(in, &g))
        return false;
    *ret_key = groups_key(&g);
    return !(ret_key->high == 0 && ret_key->low >> 32 == 0xffff);
}

static bool plain_key(struct bytes *in, bool v4, struct range_key *ret_key)
{
    return v4 ? plain_number(in, ret_key) : plain_ip6(in, ret_key);
}

/* A line as the database's makers write them; false: it may still be one, or is wrong. */
static bool plain_row(struct bytes in, struct range_span *ret_span, char ret_code[2])
{
    size_t colon = 0;
    while (colon < in.left && colon < 5 && in.at[colon] != ':' && in.at[colon] != ',')
        colon++;
    ret_span->v4 = !(colon < in.left && in.at[colon] == ':');
    if (!plain_key(&in, ret_span->v4, &ret_span->first) ||
        !plain_key(&in, ret_span->v4, &ret_span->last) || in.left != 2)
        return false;
    ret_code[0] = (char)in.at[0];
    ret_code[1] = (char)in.at[1];
    const char code[3] = {ret_code[0], ret_code[1], '\0'};
    return !range_key_before(ret_span->last, ret_span->first) && is_code(code);
}

/* Read a line if it is plain, and step over it; false: leave it to the careful reader. */
static bool take_plain(struct geo_read *r, struct bytes *in, enum err *ret_err)
{
    const uint8_t *end = in->left ? memchr(in->at, '\n', in->left) : NULL;
    struct range_span span;
    char code[2];
    if (!end || !plain_row(bytes_over(in->at, (size_t)(end - in->at)), &span, code))
        return false;
    bytes_skip(in, (size_t)(end - in->at) + 1);
    *ret_err = geo_read_country(r, &span, code);
    return true;
}

enum err geo_read_text(struct geo_read *r, const char *file, struct bytes in, struct fault *f)
{
    char line[LINE_MAX_BYTES];
    for (unsigned long number = 1;; number++) {
        enum err e = OK;
        if (take_plain(r, &in, &e)) {
            if (e)
                return fault_set(f, e, "%s:%lu: %s", file, number, err_text(e));
            continue;
        }
        if (!next_line(&in, line))
            return OK;
        if (line[0] == '#') {
            read_comment(&r->about, line);
            continue;
        }
        if (!line[0])
            continue;
        e = read_row(r, line);
        if (e == ERR_BAD)
            return fault_set(f, e,
                "%s:%lu: not FIRST,LAST,CC with addresses as numbers (IPv4) or text (IPv6) and "
                "two capital letters or ??",
                file, number);
        if (e == ERR_RANGE)
            return fault_set(f, e,
                "%s:%lu: the range ends before it begins or is of two families", file, number);
        if (e)
            return fault_set(f, e, "%s:%lu: %s", file, number, err_text(e));
    }
}

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

static enum err read_row(struct geo_read *r, char *line)
{
    struct ip first, last;
    char *last_text = strchr(line, ',');
    char *code = last_text ? strchr(last_text + 1, ',') : NULL;
    if (!code)
        return ERR_BAD;
    *last_text++ = '\0';
    *code++ = '\0';
    if (!parse_address(line, &first) || !parse_address(last_text, &last) || strlen(code) != 2 ||
        !geo_is_code(code))
        return ERR_BAD;
    struct range_span span;
    return range_span_of(&first, &last, &span) ? geo_read_country(r, &span, code) : ERR_RANGE;
}

/* Read a line if it is plain, and step over it; false: leave it to the careful reader. */
static bool take_plain(struct geo_read *r, struct bytes *in, enum err *ret_err)
{
    struct range_span span;
    char code[2];
    size_t len = in->left >= GEO_PLAIN_MOST ? geo_plain_row(in->at, &span, code) : 0;
    if (!len)
        return false;
    bytes_skip(in, len);
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

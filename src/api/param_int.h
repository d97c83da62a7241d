#ifndef API_PARAM_INT_H
#define API_PARAM_INT_H

#include "alert/alert.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every parameter of the interface, in the query, in the path or as a member of a JSON body, is
 * a row; what a route takes is a list of rows. A test holds the table against openapi.yaml. */

enum param_type {
    PARAM_WHEN,     /* number: us, or for relative times what when_resolve() needs */
    PARAM_TIME,     /* number: us */
    PARAM_DURATION, /* number: us; least, most in seconds */
    PARAM_WORD,     /* one of `words`; number: which */
    PARAM_WORDS,    /* some of `words`, commas between; a - before each: all but these */
    PARAM_NUMBER,   /* number in [least, most] */
    PARAM_PROTO,    /* number: 0..255 */
    PARAM_PREFIX,   /* prefix */
    PARAM_IP,       /* prefix of 128 bits */
    PARAM_COUNTRY,  /* two lower-case letters that are a country's, ISO 3166 */
    PARAM_CHARS,    /* least..most characters out of `words` (an alphabet such as "a-z0-9") */
    PARAM_TEXT,     /* least..most bytes of UTF-8 without control characters */
    PARAM_SECRET,   /* like text, any bytes but NUL; never repeated in an answer */
    PARAM_BOOL,     /* number: 0 or 1; only in bodies */
    PARAM_OBJECT,   /* a JSON object, which the handler reads from the body; only in bodies */
};

enum param_where {
    IN_QUERY,
    IN_PATH,
    IN_BODY
};

/* X(id, where, name, type, least, most, words, default, allowed) */
#define PARAM_NAME_CHARS "a-z0-9._:-"
#define PARAM_LIST(X)                                                                          \
    X(P_FROM, IN_QUERY, "from", PARAM_WHEN, 0, 40, NULL, NULL, PARAM_ALLOWED_WHEN)             \
    X(P_TO, IN_QUERY, "to", PARAM_WHEN, 0, 40, NULL, NULL, PARAM_ALLOWED_WHEN)                 \
    X(P_SITE, IN_QUERY, "site", PARAM_CHARS, 1, 63, PARAM_NAME_CHARS, NULL,                    \
        "a name: 1 to 63 of a-z 0-9 . _ : -")                                                  \
    X(P_COUNTRY, IN_QUERY, "country", PARAM_COUNTRY, 2, 2, "a-z", NULL,                        \
        "a country of two lower-case letters (ISO 3166), such as jp")                          \
    X(P_TOOL, IN_QUERY, "tool", PARAM_CHARS, 1, 63, PARAM_NAME_CHARS, NULL,                    \
        "a name: 1 to 63 of a-z 0-9 . _ : -")                                                  \
    X(P_CLASS, IN_QUERY, "class", PARAM_WORDS, 0, 0,                                           \
        "other|scan|backscatter|misconfiguration|survey|worm", NULL,                           \
        "some of other, scan, backscatter, misconfiguration, survey and worm with commas "     \
        "between, each once; with a - before each, all but these")                             \
    X(P_TAG, IN_QUERY, "tag", PARAM_WORDS, 0, 0, "known|survey-like", NULL,                    \
        "known, survey-like or both with a comma between; with a - before each, all but "      \
        "these")                                                                               \
    X(P_REASON, IN_QUERY, "reason", PARAM_CHARS, 1, 63, PARAM_NAME_CHARS, NULL,                \
        "what /screened names as a reason: 1 to 63 of a-z 0-9 . _ : -")                        \
    X(P_PROTO, IN_QUERY, "proto", PARAM_PROTO, 0, 255, NULL, NULL,                             \
        "tcp, udp, icmp, icmpv6 or a number of 0 to 255")                                      \
    X(P_PORT, IN_QUERY, "port", PARAM_NUMBER, 0, 65535, NULL, NULL,                            \
        "a whole number of 0 to 65535")                                                        \
    X(P_ASN, IN_QUERY, "asn", PARAM_NUMBER, 0, 4294967295, NULL, NULL,                         \
        "a whole number of 0 to 4294967295")                                                   \
    X(P_SRC, IN_QUERY, "src", PARAM_PREFIX, 0, 49, NULL, NULL,                                 \
        "an address or a prefix, such as 192.0.2.0/24 or 2001:db8::/32, no bits set beyond "   \
        "its length")                                                                          \
    X(P_LIMIT, IN_QUERY, "limit", PARAM_NUMBER, 1, 10000, NULL, "100",                         \
        "a whole number of 1 to 10000")                                                        \
    X(P_CURSOR, IN_QUERY, "cursor", PARAM_CHARS, 1, 127, "A-Za-z0-9.:_~-", NULL,               \
        "what `next` of the page before gave")                                                 \
    X(P_FORMAT, IN_QUERY, "format", PARAM_WORD, 0, 0, "json|csv", "json", "json or csv")       \
    X(P_STEP, IN_QUERY, "step", PARAM_DURATION, 60, 31536000, NULL, NULL,                      \
        "a duration of whole minutes, 1m to 365d, such as 10m")                                \
    X(P_BY, IN_QUERY, "by", PARAM_WORD, 0, 0, "site|country|tool|class|asn|port", NULL,        \
        "site, country, tool, class, asn or port")                                             \
    X(P_MEASURE, IN_QUERY, "measure", PARAM_WORD, 0, 0, "packets|sources|bytes", "packets",    \
        "packets, sources or bytes")                                                           \
    X(P_LINES, IN_QUERY, "limit", PARAM_NUMBER, 1, 50, NULL, "8", "a whole number of 1 to 50") \
    X(P_STREAM_LIMIT, IN_QUERY, "limit", PARAM_NUMBER, 1, 1000000000, NULL, NULL,              \
        "a whole number of 1 to 1000000000")                                                   \
    X(P_STREAM_FORMAT, IN_QUERY, "format", PARAM_WORD, 0, 0, "jsonl|csv", "jsonl",             \
        "jsonl or csv")                                                                        \
    X(P_LAST, IN_QUERY, "last", PARAM_DURATION, 600, 7776000, NULL, "24h",                     \
        "a duration of 10m to 90d, such as 24h")                                               \
    X(P_SPAN, IN_QUERY, "last", PARAM_DURATION, 3600, 34560000, NULL, "30d",                   \
        "a duration of 1h to 400d, such as 30d")                                               \
    X(P_STATUS, IN_QUERY, "status", PARAM_WORD, 0, 0, "closed|open", NULL, "open or closed")   \
    X(P_STATE, IN_QUERY, "state", PARAM_WORD, 0, 0, "new|seen|known|right|wrong", NULL,        \
        "new, seen, known, right or wrong")                                                    \
    X(P_SEVERITY, IN_QUERY, "severity", PARAM_WORD, 0, 0, "info|notice|warning|critical",      \
        NULL, "info, notice, warning or critical")                                             \
    X(P_KIND, IN_QUERY, "kind", PARAM_WORD, 0, 0, ALERT_KINDS, NULL, ALERT_KINDS_TEXT)         \
    X(P_ENGINE, IN_QUERY, "engine", PARAM_CHARS, 1, 31, PARAM_NAME_CHARS, NULL,                \
        "an engine: 1 to 31 of a-z 0-9 . _ : -")                                               \
    X(P_SUPPRESSED, IN_QUERY, "suppressed", PARAM_WORD, 0, 0, "include|exclude|only",          \
        "include", "include, exclude or only")                                                 \
    X(P_ALERT, IN_QUERY, "alert", PARAM_CHARS, 1, 63, "A-Za-z0-9._-", NULL,                    \
        "the id of an alert")                                                                  \
    X(P_OUTCOME, IN_QUERY, "state", PARAM_WORD, 0, 0, "open|came|late|missed|void", NULL,      \
        "open, came, late, missed or void")                                                    \
    X(P_TURN, IN_QUERY, "turn", PARAM_WORD, 0, 0, "held", NULL, "held")                        \
    X(P_RULE_ID, IN_PATH, "suppression", PARAM_NUMBER, 1, 999999999999999, NULL, NULL,         \
        "the id of a suppression, a whole number")                                             \
    X(P_WORDS, IN_QUERY, "q", PARAM_TEXT, 1, 200, NULL, NULL, "1 to 200 bytes of text")        \
    X(P_ALERT_ID, IN_PATH, "alert", PARAM_CHARS, 1, 63, "A-Za-z0-9._-", NULL,                  \
        "the id of an alert")                                                                  \
    X(P_ADDRESS, IN_PATH, "address", PARAM_IP, 0, 45, NULL, NULL, "an IPv4 or IPv6 address")   \
    X(P_SITE_NAME, IN_PATH, "site_name", PARAM_CHARS, 1, 63, PARAM_NAME_CHARS, NULL,           \
        "a name: 1 to 63 of a-z 0-9 . _ : -")                                                  \
    X(P_USER_NAME, IN_PATH, "user", PARAM_CHARS, 1, 63, "A-Za-z0-9._@-", NULL,                 \
        "the name of a user: 1 to 63 of A-Z a-z 0-9 . _ @ -")                                  \
    X(P_TOKEN_ID, IN_PATH, "token", PARAM_NUMBER, 1, 999999999999999, NULL, NULL,              \
        "the id of a token, a whole number")                                                   \
    X(B_USER, IN_BODY, "user", PARAM_CHARS, 1, 63, "A-Za-z0-9._@-", NULL,                      \
        "1 to 63 of A-Z a-z 0-9 . _ @ -")                                                      \
    X(B_SECRET, IN_BODY, "password", PARAM_SECRET, 1, 256, NULL, NULL, "1 to 256 bytes")       \
    X(B_PASSWORD, IN_BODY, "password", PARAM_SECRET, 12, 256, NULL, NULL, "12 to 256 bytes")   \
    X(B_OLD, IN_BODY, "old", PARAM_SECRET, 1, 256, NULL, NULL, "1 to 256 bytes")               \
    X(B_NEW, IN_BODY, "new", PARAM_SECRET, 12, 256, NULL, NULL, "12 to 256 bytes")             \
    X(B_ROLE, IN_BODY, "role", PARAM_WORD, 0, 0, "viewer|admin|partner", NULL,                 \
        "viewer, admin or partner")                                                            \
    X(B_DISABLED, IN_BODY, "disabled", PARAM_BOOL, 0, 1, NULL, NULL, "true or false")          \
    X(B_LABEL, IN_BODY, "label", PARAM_CHARS, 1, 63, "A-Za-z0-9._@-", NULL,                    \
        "1 to 63 of A-Z a-z 0-9 . _ @ -")                                                      \
    X(B_EXPIRES_IN, IN_BODY, "expires_in", PARAM_DURATION, 60, 315360000, NULL, NULL,          \
        "a duration of 1m to 3650d, such as 90d")                                              \
    X(B_STATE, IN_BODY, "state", PARAM_WORD, 0, 0, "new|seen|known|right|wrong", NULL,         \
        "new, seen, known, right or wrong")                                                    \
    X(P_VERSION, IN_PATH, "version", PARAM_NUMBER, 0, 999999999999999, NULL, NULL,             \
        "the number of a version")                                                             \
    X(B_DOCUMENT, IN_BODY, "document", PARAM_OBJECT, 0, 0, NULL, NULL,                         \
        "a JSON object: the document of a site")                                               \
    X(B_MOST, IN_BODY, "most", PARAM_OBJECT, 0, 0, NULL, NULL,                                 \
        "a JSON object: an anonymisation policy")                                              \
    X(B_SERVE, IN_BODY, "serve", PARAM_CHARS, 0, 1000, "a-z0-9,-", NULL,                       \
        "names of engines and views with commas between, at most 1000 bytes")                  \
    X(B_VERSION, IN_BODY, "version", PARAM_NUMBER, 0, 999999999999999, NULL, NULL,             \
        "the number of a version")                                                             \
    X(B_BASE, IN_BODY, "base", PARAM_NUMBER, 0, 999999999999999, NULL, NULL,                   \
        "the number of the version that was changed")                                          \
    X(B_WHY, IN_BODY, "note", PARAM_TEXT, 0, 200, NULL, NULL, "at most 200 bytes of text")     \
    X(B_ACTION, IN_BODY, "action", PARAM_WORD, 0, 0, "restart|upgrade|reboot", NULL,           \
        "restart, upgrade or reboot")                                                          \
    X(B_POWER, IN_BODY, "action", PARAM_WORD, 0, 0, "status|on|off|shutdown|cycle|reset",      \
        NULL, "status, on, off, shutdown, cycle or reset")                                     \
    X(B_DOOR, IN_BODY, "kind", PARAM_WORD, 0, 0, "ipmi|redfish", NULL, "ipmi or redfish")      \
    X(B_DOOR_ADDRESS, IN_BODY, "address", PARAM_TEXT, 1, 250, NULL, NULL,                      \
        "1 to 250 bytes of text")                                                              \
    X(B_DOOR_SECRET, IN_BODY, "password", PARAM_SECRET, 1, 127, NULL, NULL, "1 to 127 bytes")  \
    X(B_SERVICE, IN_BODY, "service", PARAM_CHARS, 1, 63, "a-z0-9@._-", NULL,                   \
        "a service of kizashi, such as kizashi-sensor")                                        \
    X(B_CONFIRM, IN_BODY, "confirm", PARAM_CHARS, 1, 63, PARAM_NAME_CHARS, NULL,               \
        "the name of the site")                                                                \
    X(B_CHECK, IN_BODY, "check", PARAM_BOOL, 0, 1, NULL, NULL, "true or false")                \
    X(B_TOKEN, IN_BODY, "token", PARAM_SECRET, 1, 127, NULL, NULL, "1 to 127 bytes")           \
    X(B_REQUEST, IN_BODY, "request", PARAM_TEXT, 1, 1000, NULL, NULL,                          \
        "at most 1000 bytes of text")                                                          \
    X(B_CERTIFICATE, IN_BODY, "certificate", PARAM_TEXT, 1, 2000, NULL, NULL,                  \
        "at most 2000 bytes of text")                                                          \
    X(B_PROOF, IN_BODY, "proof", PARAM_CHARS, 1, 200, "A-Za-z0-9+/=", NULL,                    \
        "at most 200 characters of base64")                                                    \
    X(B_UNTIL, IN_BODY, "until", PARAM_TIME, 0, 0, NULL, NULL,                                 \
        "RFC 3339 such as 2026-12-31T00:00:00Z, or a date")                                    \
    X(B_SCOPE, IN_BODY, "scope", PARAM_CHARS, 1, 63, "a-z,", NULL,                             \
        "one or more of kind, engine, port and site, with commas between")                     \
    X(B_NETWORK, IN_BODY, "network", PARAM_PREFIX, 0, 49, NULL, NULL,                          \
        "an address or a prefix, such as 192.0.2.0/24 or 2001:db8::/32, no bits set beyond "   \
        "its length")                                                                          \
    X(B_NOTE, IN_BODY, "note", PARAM_TEXT, 0, 1000, NULL, NULL, "at most 1000 bytes of text")

#define PARAM_ALLOWED_WHEN                                                                     \
    "RFC 3339 such as 2026-11-22T08:00:00Z, a date, now, or back from the newest packet such " \
    "as -24h"

enum param_id {
    P_NONE, /* ends a route's list */
#define X(id, ...) id,
    PARAM_LIST(X)
#undef X
    PARAM_COUNT
};

struct param {
    const char *name;
    enum param_where where;
    enum param_type type;
    int64_t least, most;
    const char *words;
    const char *initial; /* NULL: none */
    const char *allowed; /* for people: "... must be <allowed>" */
};

const struct param *param_row(enum param_id id);

enum {
    PARAM_ROUTE_MAX = 24, /* parameters of one route */
    PARAM_TEXT_MAX = 1024
};

struct value {
    bool given; /* by the asker; a default sets the rest only */
    int64_t number;
    bool relative; /* PARAM_WHEN: number counts from the newest packet, or is 0 for now */
    bool is_now;
    struct prefix prefix;
    const char *text; /* borrowed from the struct args */
};

/* What came with one request, by parameter. */
struct args {
    struct value value[PARAM_COUNT];
    char heap[4096]; /* texts */
    size_t used;
};

/* What is wrong with a request, for the problem document. */
struct objection {
    char field[64];
    char detail[320];
    const char *allowed; /* a row's sentence, or NULL */
};

/* Check one value's text and take it. ERR_BAD with the objection filled; ERR_FULL when the heap
 * is. */
enum err param_take(struct args *a, enum param_id id, const char *text, size_t len,
    struct objection *ret_objection) MUST_CHECK;

/* A query string without its '?', undecoded, against a route's list; unknown names, repeated
 * names and broken escapes are ERR_BAD. Sets defaults for what is not there. */
enum err param_query(struct args *a, const enum param_id *list, struct bytes query,
    struct objection *ret_objection) MUST_CHECK;

/* A JSON object of a route's body parameters: at least one member, and those of `required`
 * (P_NONE ends it). */
enum err param_body(struct args *a, const enum param_id *list, const enum param_id *required,
    struct bytes body, struct objection *ret_objection) MUST_CHECK;

/* Undo %XX and, if `plus`, '+'. The result may hold any bytes; ERR_BAD for a broken escape,
 * ERR_FULL when `room` is too small. */
enum err param_unescape(
    struct bytes in, bool plus, char *out, size_t room, size_t *ret_len) MUST_CHECK;

#endif

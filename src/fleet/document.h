#ifndef FLEET_DOCUMENT_H
#define FLEET_DOCUMENT_H

#include "anon/policy.h"
#include "base/bytes.h"
#include "base/json.h"
#include "fleet/action.h"
#include "fleet/filter.h"

#include <stddef.h>
#include <stdint.h>

/* What a site collects and how it is hidden: one typed document, as JSON. The rows below are
 * its members; what reads, writes, checks and describes it is made from them.
 * docs/formats/site-document.md
 *
 * X(member, type, least, most, default as JSON, unit, sentence) */
#define DOCUMENT_FIELDS(X)                                                                     \
    X(filter, DOCUMENT_TEXT, 0, FILTER_MAX - 1, "\"\"", "",                                    \
        "What is captured: an expression of pcap-filter(7) without names of hosts; empty: "    \
        "all.")                                                                                \
    X(sample, DOCUMENT_COUNT, 1, 65536, "1", "sources",                                        \
        "One source address in so many is collected, always the same ones; 1: all.")           \
    X(payload, DOCUMENT_COUNT, 0, 256, "64", "bytes",                                          \
        "First bytes of each payload that are collected.")                                     \
    X(batch, DOCUMENT_DURATION, DOCUMENT_BATCH_LEAST, 60000000, "\"" DOCUMENT_BATCH "\"", "",  \
        "How long packets are gathered before they are sent together.")                        \
    X(heartbeat, DOCUMENT_DURATION, 1000000, 3600000000, "\"" DOCUMENT_HEARTBEAT "\"", "",     \
        "Time between two heartbeats.")

/* What a sensor's options begin with, too: what a site does by itself is a document. */
#define DOCUMENT_BATCH     "1s"
#define DOCUMENT_HEARTBEAT "10s"

enum {
    DOCUMENT_BATCH_LEAST = 100000 /* us */
};

enum document_type {
    DOCUMENT_TEXT,     /* least, most: bytes */
    DOCUMENT_COUNT,    /* a whole number */
    DOCUMENT_DURATION, /* text such as "10s"; least, most in us */
};

struct site_document {
    char filter[FILTER_MAX];
    int64_t sample, payload;
    int64_t batch, heartbeat; /* us */
    struct anon_policy anonymisation;
};

enum {
    DOCUMENT_MAX = 60 << 10 /* bytes of its JSON */
};

void document_default(struct site_document *ret_document);

/* What is missing has its default. ERR_BAD or ERR_RANGE: the fault names the member and says
 * what is allowed; nothing is written. */
enum err document_read(
    struct site_document *ret_document, const json_t *object, struct fault *f) MUST_CHECK;

/* The same from text; the fault names line and column where it is no JSON. */
enum err document_parse(
    struct site_document *ret_document, struct bytes text, struct fault *f) MUST_CHECK;

/* The whole document, every member named: a new reference; NULL: out of memory. */
json_t *document_json(const struct site_document *d);

/* The JSON Schema (draft 2020-12): a new reference; NULL: out of memory. */
json_t *document_schema(void);

/* Change one member: "payload=128", "filter=tcp", "anonymisation.source=prefix",
 * "anonymisation.destination={...}" or "anonymisation.destination=truncate:24,48". What is no
 * JSON is taken as text, and a rule of the policy as anon_word_json() does. The whole is
 * checked as in document_read(). */
enum err document_set(
    struct site_document *d, const char *assignment, struct fault *f) MUST_CHECK;

/* What differs: an array of {"member": "anonymisation.source", "before": ..., "after": ...},
 * in the order of the document; a new reference; NULL: out of memory. */
json_t *document_diff(const struct site_document *before, const struct site_document *after);

bool document_same(const struct site_document *a, const struct site_document *b);

/* --- how it travels ------------------------------------------------------------------------
 */

/* {"site": ..., "version": ..., "document": {...}, "action": {...}}: what is pushed; without an
 * action where that is NULL or has no id. */
void document_parcel_write(struct buf *out, const char *site, int64_t version,
    const struct site_document *d, const struct site_action *action);

/* What a parcel asks for; its id is 0 where that is nothing. ERR_BAD: it is no action. */
enum err document_parcel_action(
    struct bytes text, struct site_action *ret_action, struct fault *f) MUST_CHECK;

/* ERR_BAD: no parcel, one for another site, or the document is refused. */
enum err document_parcel_read(struct bytes text, const char *site, int64_t *ret_version,
    struct site_document *ret_document, struct fault *f) MUST_CHECK;

/* What a site does by itself travels in its heartbeats, as a member beside theirs: `beat` gets
 * it. */
enum err document_own_write(json_t *beat, const struct site_document *own) MUST_CHECK;

/* ERR_NOTFOUND: the heartbeat does not say. ERR_BAD or ERR_RANGE: it says what is none. One
 * with a filter is none: no site makes such a one, and a hub compiles nothing that sites send.
 */
enum err document_own_read(
    struct bytes beat, struct site_document *ret_own, struct fault *f) MUST_CHECK;

#endif

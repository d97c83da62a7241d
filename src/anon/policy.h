#ifndef ANON_POLICY_H
#define ANON_POLICY_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* What a site lets out, field by field: a typed document, as JSON. What each method does, what
 * survives it and what it still gives away: docs/formats/anonymisation-policy.md. */

enum anon_field {
    ANON_SOURCE,           /* addresses of who sent, and of victims in quoted packets */
    ANON_DESTINATION,      /* addresses of the telescope */
    ANON_SOURCE_PORT,      /* ICMP codes are no ports and stay */
    ANON_DESTINATION_PORT, /* ICMP types stay, too */
    ANON_TIME,
    ANON_PAYLOAD,
    ANON_NUMBERS, /* IP identification, TCP sequence numbers: tools write the destination there
                   */
    ANON_PLACE,   /* country and network, looked up before addresses change */
    ANON_DNS,     /* names in DNS logs and in DNS messages */
    ANON_URL,
    ANON_FIELDS
};

/* The methods of all fields; which of them a field takes says its row of anon_fields. */
enum anon_method {
    ANON_KEEP,
    ANON_PREFIX,     /* addresses: Crypto-PAn */
    ANON_HASH,       /* keyed, one to one for addresses */
    ANON_TRUNCATE,   /* addresses: the first bits */
    ANON_CLASS,      /* ports: 0 to 1023, to 49151, to 65535 become 0, 1024, 49152 */
    ANON_ROUND,      /* time: down to a multiple */
    ANON_SHIFT,      /* time: back by a secret constant of the site */
    ANON_FIRST,      /* payload: its first bytes */
    ANON_LENGTH,     /* payload: its length */
    ANON_RELATION,   /* numbers: only whether the TCP sequence number is the destination */
    ANON_COUNTRY,    /* place: the country, not the network */
    ANON_DOMAIN,     /* names: what somebody has registered, and the public suffix under it */
    ANON_DROP_QUERY, /* URL: without what follows "?" and "#" */
    ANON_PATH_HASH,  /* URL: host, and one keyed hash of the rest */
    ANON_HOST,       /* URL: host */
    ANON_DROP,
    ANON_METHODS
};

struct anon_rule {
    enum anon_method method;
    uint8_t ipv4;   /* ANON_TRUNCATE: bits that stay, 0..32 */
    uint8_t ipv6;   /* ANON_TRUNCATE: 0..128 */
    uint16_t bytes; /* ANON_FIRST: 1..256 */
    int64_t us;     /* ANON_ROUND: multiple; ANON_SHIFT: the most */
};

struct anon_policy {
    struct anon_rule rule[ANON_FIELDS];
    bool one_key;        /* source and destination share their key: for traffic both ways */
    int64_t epoch;       /* us for which keys are used; 0: for ever */
    uint32_t old_epochs; /* keys of so many earlier epochs are kept, for what comes late */
};

/* A field as a row: what documents call it, and which methods it takes, the most revealing
 * first. */
struct anon_field_row {
    const char *name; /* "destination" */
    const char *text; /* one sentence */
    const enum anon_method *methods;
    size_t method_count;
};
extern const struct anon_field_row anon_fields[ANON_FIELDS];

/* "truncate" */
const char *anon_method_name(enum anon_method m);

/* What a sensor does whose site has said nothing: sources as they are, destinations by a keyed
 * hash, of the numbers only the relation, of payloads the first 64 bytes. */
void anon_policy_default(struct anon_policy *ret_policy);

/* Everything as it is. */
void anon_policy_open(struct anon_policy *ret_policy);

/**
 * Read a document. What it does not name is as in anon_policy_default().
 *
 * @return OK; ERR_BAD or ERR_RANGE: the fault is the member ("destination.ipv4"), a colon and
 * what is allowed. *ret_policy is then as it was.
 */
enum err anon_policy_read(
    struct anon_policy *ret_policy, const json_t *document, struct fault *f) MUST_CHECK;

enum {
    ANON_POLICY_MAX = 65536 /* bytes of a document */
};

/* The same from text; the fault names line and column where it is no JSON. */
enum err anon_policy_parse(
    struct anon_policy *ret_policy, struct bytes text, struct fault *f) MUST_CHECK;

/* A rule as a document has it: "keep", {"method": "first", "bytes": 64}; a new reference. */
json_t *anon_rule_json(const struct anon_rule *r);

/* The whole document, every field named; NULL: out of memory. The caller owns the reference. */
json_t *anon_policy_json(const struct anon_policy *p);

/* The JSON Schema of documents (draft 2020-12), made from the same rows. */
json_t *anon_policy_schema(void);

bool anon_policy_same(const struct anon_policy *a, const struct anon_policy *b);

#endif

#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Every kind of record that crosses a room border in bulk, as a table: name, type, unit, range,
 * one sentence for each column. The block codec, the store's tables, JSON, CSV and the
 * reference page are made from these rows; a new column is a new row in a .def file beside this
 * header. */
enum column_type {
    COLUMN_U8,
    COLUMN_U16,
    COLUMN_U32,
    COLUMN_U64,
    COLUMN_TIME,  /* int64_t, microseconds since 1970 UTC; Int64 on the wire */
    COLUMN_IP,    /* struct ip; FixedString(16) on the wire */
    COLUMN_NAME,  /* one of few words: in memory a uint16_t into the block's own list, String on
                     the wire; a word is at most NAME_MAX bytes of [a-z0-9._:-] */
    COLUMN_BYTES, /* any bytes, at most `most` a row; String on the wire */
};

enum {
    RECORD_NAME_MAX = 63,
    RECORD_COLUMNS_MAX = 40
};

struct column {
    const char *name;
    enum column_type type;
    uint32_t most;    /* COLUMN_BYTES: largest length of a row */
    const char *unit; /* "" if none */
    const char *text; /* one sentence */
};

struct record {
    const char *name; /* "packet" */
    const char *text; /* what one row is */
    const struct column *columns;
    size_t column_count;
    size_t max_rows; /* of one block; a larger block is refused */
};

#define RECORD_COLUMN_ENUM(id, name, type, most, unit, text) id,

enum packet_column {
#define X RECORD_COLUMN_ENUM
#include "record/packet.def"
#undef X
    PACKET_COLUMNS
};

enum contact_column {
#define X RECORD_COLUMN_ENUM
#include "record/contact.def"
#undef X
    CONTACT_COLUMNS
};

enum dos_column {
#define X RECORD_COLUMN_ENUM
#include "record/dos.def"
#undef X
    DOS_COLUMNS
};

enum site_status_column {
#define X RECORD_COLUMN_ENUM
#include "record/site_status.def"
#undef X
    SITE_STATUS_COLUMNS
};

enum tagged_column {
#define X RECORD_COLUMN_ENUM
#include "record/tagged.def"
#undef X
    TAGGED_COLUMNS
};

enum screening_column {
#define X RECORD_COLUMN_ENUM
#include "record/screening.def"
#undef X
    SCREENING_COLUMNS
};

extern const struct record record_packet;
extern const struct record record_contact;
extern const struct record record_dos;
extern const struct record record_site_status;
extern const struct record record_tagged;
extern const struct record record_screening;

/* All kinds, NULL at the end. */
extern const struct record *const record_all[];

/* NULL if there is no such kind. */
const struct record *record_find(const char *name);

/* Bits of packet.quirks. */
enum packet_quirk {
    QUIRK_SNAPPED = 1 << 0,      /* the capture holds less than the packet had */
    QUIRK_FRAG_FIRST = 1 << 1,   /* first fragment: ports are there, the rest is not */
    QUIRK_FRAG_LATER = 1 << 2,   /* later fragment: no ports */
    QUIRK_IP_OPTIONS = 1 << 3,   /* IPv4 options or IPv6 extension headers */
    QUIRK_BAD_LENGTH = 1 << 4,   /* a header length contradicts another */
    QUIRK_SHORT_HEADER = 1 << 5, /* transport header cut: its fields are zero from there on */
    QUIRK_VLAN = 1 << 6,         /* came with one or more VLAN tags */
};

/* Words of packet.class and contact.class, in this order in every block the sensor makes. */
#define CLASS_LIST(X)                                                                          \
    X(CLASS_OTHER, "other", "nothing that the other classes say")                              \
    X(CLASS_SCAN, "scan", "asks for a service: SYN, UDP request, echo request")                \
    X(CLASS_BACKSCATTER, "backscatter",                                                        \
        "an answer to a packet somebody else sent in our name")                                \
    X(CLASS_MISCONFIGURATION, "misconfiguration",                                              \
        "many sources, one address: a wrong setting")                                          \
    X(CLASS_SURVEY, "survey", "scan by an organisation that announces itself")                 \
    X(CLASS_WORM, "worm", "scan in the way self-spreading malware does it")

enum packet_class {
#define X(id, name, text) id,
    CLASS_LIST(X)
#undef X
    CLASS_COUNT
};

/* What screening says of a contact (docs/engines/screen.md). A tag takes nothing away: whoever
 * counts says which tags it leaves out. */
#define TAG_LIST(X)                                                                            \
    X(TAG_KNOWN, "known", "sent by known malware, or by noise that a person has accepted")     \
    X(TAG_SURVEY_LIKE, "survey-like", "from a source that scans as surveys do, on no list")

enum contact_tag {
#define X(id, name, text) id,
    TAG_LIST(X)
#undef X
    TAG_COUNT
};

/* The word for a tag. */
const char *tag_name(enum contact_tag tag);

/* The word for a class; CLASS_COUNT and above give "other". */
const char *class_name(enum packet_class c);
/* The class of a word; CLASS_COUNT if it is none. */
enum packet_class class_find(const char *word);

#endif

#ifndef STORE_ASK_INT_H
#define STORE_ASK_INT_H

#include "store/store_int.h"

/* What ask.c, plan.c, questions.c and answer.c share. */

enum {
    SERIES_LINES = 10, /* of a series, when the question does not say */
    CURSOR_ROWS_MAX = 1000000,
    STREAM_PIECE_MAX = 1 << 26,
    CUTS_MAX = 1 << 24 /* text of where a stream of packets is cut: about a million places */
};

/* Where a page begins. */
struct place {
    int64_t time; /* packets: of the first row; else 0 */
    uint64_t skip;
};

/* A question on its way. */
struct asking {
    struct store *store;
    struct view view; /* of the moment when it began */
    const struct ask *ask;
    struct fault *fault;
    struct place place;
    size_t limit;     /* rows of a page; 0: all */
    size_t lines;     /* of a series */
    int64_t from, to; /* never more than there is */
    bool empty;       /* nothing there */
};

/* --- plan.c: which tables answer --------------------------------------------------------- */

/* How the members of a set come in a source's rows. */
enum sets {
    SETS_VALUES, /* one a row */
    SETS_ARRAYS,
    SETS_STATES /* sketches */
};

/* A SELECT over rollups and contacts, in brackets, that gives the dimensions and measures asked
 * for, and `bucket`, the start of the step, if step > 0. Nothing, if all is in `numbers`. */
struct source {
    unsigned dimensions, measures;
    int64_t step;
    int64_t from, to;
    const char
        *key;   /* SQL over the dimensions, given as `k` in their place; NULL: themselves */
    bool weigh; /* sets give their sizes only: quick, and an upper bound */
    const char *extra;   /* by source only: more columns, "start, "; NULL: none */
    const char *where;   /* " AND ...": more to narrow by; NULL: none */
    struct buf *numbers; /* gets a SELECT of the rows that are the answer's as they are, sets
                            as their sizes; nothing if there are none. NULL: no */
    enum sets sets;      /* set by plan_source() */
};
void plan_source(const struct asking *q, struct source *src, struct buf *out);

/* With tags: does no rollup answer, so that contacts are gone through, which is dear? */
bool plan_by_contacts(const struct asking *q, const struct source *src);

/* The same from packets, for steps that contacts are too coarse for. */
void plan_packets(const struct asking *q, struct source *src, struct buf *out);

/* The hours of the span of which BUSIEST_HOURS has rows, or with tags BUSIEST_TAGS, as a
 * condition on the column `time`; false: there are none. */
bool plan_busiest_hours(const struct asking *q, const char *time, struct buf *out);

/* "sum(packets) AS packets", over what plan_source() gave. */
void plan_measure(const struct source *src, enum measure m, struct buf *out);

/* " AND site = '...'" and so on, for contacts, packets and rollups alike. */
void plan_filters(const struct ask *a, struct buf *out);
unsigned plan_filter_dimensions(const struct ask *a);

/* The sets of tags (bit n: the set n of the column `tags`) that contacts of the question may
 * have; 0: it has no tags, or names one that is not known or named twice. */
unsigned plan_tag_sets(const struct ask *a);
/* " AND tags IN (0, 2)": these, in a table that is by tags; nothing if there are none. */
void plan_put_tag_sets(const struct ask *a, struct buf *out);

/* " AND tag IN (...)" and so on, for rows of `tagged`. */
void plan_tag_filters(const struct ask *a, struct buf *out);

/* --- questions.c, question_*.c ----------------------------------------------------------- */

/* What an answer's column shows, and what its SQL gives. */
enum answer_type {
    ANSWER_NUMBER,  /* digits */
    ANSWER_REAL,    /* digits; nan and inf become null */
    ANSWER_ASN,     /* digits; what a column of names after it is about */
    ANSWER_WORD,    /* text that needs no escaping */
    ANSWER_TEXT,    /* any text */
    ANSWER_NETWORK, /* like ANSWER_ASN, but text: "64500", or "other" */
    ANSWER_NAME,    /* name of the network before it; the SQL gives nothing for it */
    ANSWER_TIME,    /* microseconds */
    ANSWER_IP,      /* 32 hexadecimal digits */
    ANSWER_PROTO,   /* number */
    ANSWER_QUOTED,  /* digits, shown as text in JSON: 64 bits */
    ANSWER_SERVICE, /* proto * 65536 + port, shown as "23/tcp"; or "other" */
    ANSWER_HEX      /* hexadecimal digits in either case */
};
struct answer_column {
    const char *name; /* NULL ends a list */
    enum answer_type type;
};

const struct answer_column *question_columns(const struct ask *a);

/* Sets from, to and empty: the span asked for, cut to what there is. */
void question_span(struct asking *q);

/* The statement; none if there is nothing to ask about. Where rows are ranked before they are
 * counted, the ranking is asked here. */
enum err question_sql(struct asking *q, struct buf *out) MUST_CHECK;

/* Its kinds. */
enum err question_list_sql(struct asking *q, struct buf *out) MUST_CHECK;
enum err question_series_sql(struct asking *q, struct buf *out) MUST_CHECK;
void question_totals_sql(const struct asking *q, struct buf *out);
enum err question_movers_sql(struct asking *q, struct buf *out) MUST_CHECK;
enum err question_sources_sql(const struct asking *q, struct buf *out) MUST_CHECK;
void question_source_sql(const struct asking *q, struct buf *out);
void question_sites_sql(const struct asking *q, struct buf *out);
void question_victims_sql(const struct asking *q, struct buf *out);
void question_screened_sql(const struct asking *q, struct buf *out);
void question_tagged_sql(const struct asking *q, struct buf *out);
void question_losses_sql(const struct asking *q, struct buf *out);
void question_packets_sql(const struct asking *q, struct buf *out);
/* Times, one a line, ascending: between them are few enough packets to be sorted at once. */
enum err question_packets_cuts(const struct asking *q, struct buf *out);

/* What they are made of: " LIMIT ..." of the page, and the source of the whole span. */
void question_put_page(const struct asking *q, struct buf *out);
struct source question_whole(const struct asking *q, unsigned dimensions, unsigned measures);

/* --- answer.c ---------------------------------------------------------------------------- */

/* Rows in tab-separated values become JSON or CSV. */
struct answer {
    struct store_names names;
    enum ask_format format;
    const struct answer_column *columns;
    struct buf *out;
    enum err (*part)(void *context, const void *data, size_t len); /* NULL: all stays in out */
    void *context;
    uint32_t asn; /* the last one of the row */
    size_t most;  /* rows; what comes after sets `more` */
    size_t rows;
    bool more;
    int64_t last_time;  /* of the time column of the last row, */
    uint64_t last_same; /* and how many rows before it had the same */
    enum err error;
};

void answer_init(struct answer *a, enum ask_format format, struct buf *out,
    enum err (*part)(void *context, const void *data, size_t len), void *context);
void answer_begin(struct answer *a);
enum err answer_lines(struct answer *a, const char *lines, size_t len) MUST_CHECK;
void answer_end(struct answer *a);

/* From the place of this page to the next one's. */
void answer_next(const struct answer *a, struct place *place);

#endif

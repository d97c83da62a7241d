#ifndef SCREEN_MARK_H
#define SCREEN_MARK_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"
#include "record/record.h"

/* Labels that somebody gave to sources: a CSV of source,label and, if it is there, the packets
 * that speak for it. A source with several labels has the one with most packets; of equal ones
 * the first. */

enum {
    MARKS_MAX = 1 << 24,
    MARK_LABELS_MAX = 256,
    MARKS_FILE_MAX = 1 << 30,
    MARK_NONE = 0xffff
};

struct mark {
    struct ip ip;
    uint16_t label; /* number of its name */
    uint64_t packets;
};

struct marks {
    struct mark *list; /* by address, each once; owned */
    size_t count, room;
    char label[MARK_LABELS_MAX][RECORD_NAME_MAX + 1];
    size_t label_count;
};

void marks_init(struct marks *m);
void marks_done(struct marks *m);

/* Add lines; a first line "source,label..." is skipped. The fault begins "name:line: ". After a
 * failure the marks are as they were. */
enum err marks_read(
    struct marks *m, const char *name, struct bytes text, struct fault *f) MUST_CHECK;
enum err marks_read_file(struct marks *m, const char *path, struct fault *f) MUST_CHECK;

/* The number of a source's label; MARK_NONE if it has none. */
uint16_t marks_find(const struct marks *m, const struct ip *ip);
/* The number of a label, added if it is new; MARK_NONE past the cap. */
uint16_t marks_label(struct marks *m, const char *name);

#endif

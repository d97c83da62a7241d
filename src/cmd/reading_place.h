#ifndef CMD_READING_PLACE_H
#define CMD_READING_PLACE_H

#include "bus/spool.h"

enum {
    PLACE_SET = 8,   /* bytes of what a set of captures is known by */
    PLACES_LEFT = 32 /* sets that were left for others, and can be gone on with */
};

/* How far a set of captures is. */
struct reading_place {
    uint64_t turn; /* the higher one is the newer; 0: none */
    uint8_t set[PLACE_SET];
    uint64_t spool;  /* identity of the spool */
    uint64_t entry;  /* in which the last of the frames are; 0: in none yet */
    uint64_t frames; /* of the set, in the order in which they are read */
    uint32_t sum;    /* CRC-32 of what is before */
};

/* DIR/captures.at: docs/formats/bus.md tells its form. */
struct reading_places {
    char folder[4096], path[4200];
    int fd;                   /* -1: not open */
    struct reading_place now; /* that counts */
    struct reading_place before;
    struct reading_place left[PLACES_LEFT];
};

/* Nothing is written. */
enum err reading_places_open(
    struct reading_places *p, const char *folder, struct fault *f) MUST_CHECK;
void reading_places_close(struct reading_places *p);

/* Bring it in line with what the spool holds. After each time it is opened. */
enum err reading_places_settle(
    struct reading_places *p, const struct spool_counts *spool, struct fault *f) MUST_CHECK;

/* Where this set is, of this spool; NULL: it was not begun, or too long ago. */
const struct reading_place *reading_places_find(
    const struct reading_places *p, const uint8_t set[PLACE_SET], uint64_t spool);

/* From here on `fresh` counts; of another set, the one before it is left. On disk when it
 * returns. Its turn and its sum are not looked at. */
enum err reading_places_put(
    struct reading_places *p, const struct reading_place *fresh, struct fault *f) MUST_CHECK;

/* What was renamed or made in the folder is on disk when it returns. */
enum err reading_places_folder_sync(const char *folder, struct fault *f) MUST_CHECK;

#endif

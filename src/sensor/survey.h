#ifndef SENSOR_SURVEY_H
#define SENSOR_SURVEY_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"

#include <stddef.h>

/* Addresses of organisations that announce their scans, from lists in the forms in which they
 * are published (docs/formats/surveys.md). The lists are the operator's data: the product ships
 * none.
 */

enum {
    SURVEY_LISTS_MAX = 1000,
    SURVEY_FILE_MAX = 64 << 20, /* bytes of one list */
    SURVEY_TEXT = 96
};

/* One list as people see it; lives as long as the set. */
struct survey_list {
    const char *file;
    char organisation[SURVEY_TEXT]; /* as the list says, else from the file's name */
    char version[SURVEY_TEXT];      /* as the list says; "" if it does not */
    int64_t date;                   /* us: of the file */
    uint64_t prefixes;
};

struct survey_lists;

enum err survey_new(struct survey_lists **ret_lists) MUST_CHECK;
void survey_free(struct survey_lists *lists);

/**
 * Add one list; all or nothing. The form is told by the content: a JSON object is a MISP
 * warning list, a line "define NAME = {" makes it an nftables set as OpenFilters publishes
 * them, and everything else is addresses and prefixes, one a line, with comments after '#'
 * (plain lists, OpenFilters' cidr/, maltrail).
 *
 * @param organisation its name if the caller knows it, or NULL.
 * @param f begins "file:line: " for a bad line.
 */
enum err survey_add_file(struct survey_lists *lists, const char *path, const char *organisation,
    struct fault *f) MUST_CHECK;

/* The same from memory; `date` is the list's. */
enum err survey_add(struct survey_lists *lists, const char *name, struct bytes text,
    int64_t date, struct fault *f) MUST_CHECK;

size_t survey_count(const struct survey_lists *lists);
const struct survey_list *survey_at(const struct survey_lists *lists, size_t number);

/* The list that holds an address (the one with the narrowest prefix; of equal ones the first
 * added), as its number + 1; 0 if none does. About 10 ns. */
uint32_t survey_find(const struct survey_lists *lists, const struct ip *ip);

#endif

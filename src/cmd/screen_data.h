#ifndef CMD_SCREEN_DATA_H
#define CMD_SCREEN_DATA_H

#include "cmd/recording.h"
#include "screen/learn.h"
#include "screen/mark.h"

/* What the screening commands work on: captures as windows, and labels of sources. */

#define SCREEN_DATA_ITEMS                                                                      \
    {.name = "site",                                                                           \
        .type = CONF_LIST,                                                                     \
        .arg = "NAME=FILE",                                                                    \
        .text = "A capture of this site; a folder stands for the captures in it."},            \
        {.name = "labels",                                                                     \
            .type = CONF_FILES,                                                                \
            .arg = "FILE",                                                                     \
            .text = "Labels of sources as CSV: source,label and, if it is there, the packets " \
                    "that speak for it."},                                                     \
        {.name = "without",                                                                    \
            .type = CONF_LIST,                                                                 \
            .arg = "LABEL",                                                                    \
            .text = "Labels that are not looked at."},                                         \
        SETUP_ITEMS

struct screen_data {
    const struct conf *conf; /* borrowed */
    struct setup setup;
    struct site_list list;
    struct tape *tape;
    struct marks marks;
};

/* Read everything; the caller ends it in any case. `data` begins zeroed. */
enum err screen_data_open(struct screen_data *data, const struct conf *conf, size_t count,
    char **operands, struct fault *f) MUST_CHECK;
void screen_data_done(struct screen_data *data);

/* The label of a source that is looked at; MARK_NONE if there is none. */
uint16_t screen_data_label(const struct screen_data *data, const struct ip *ip);

/* All windows into profiles; *ret_now is the number of the last one. */
enum err screen_data_profiles(const struct screen_data *data, struct profiles *profiles,
    uint32_t *ret_now, struct fault *f) MUST_CHECK;

/* A file beside `path`, then in its place: whole or not at all. */
enum err screen_file_write(
    const char *path, const struct buf *text, struct fault *f) MUST_CHECK;

#endif

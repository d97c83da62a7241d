#ifndef CMD_CONTEST_H
#define CMD_CONTEST_H

#include "cmd/setup.h"
#include "cmd/site_list.h"
#include "evaluate/evaluation.h"

/* Any set of engines over windows that were recorded once: together, alone, on shuffled
 * windows, and with planted crowds. */

#define CONTEST_ITEMS                                                                          \
    {"each", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL, "Judge each engine alone, too."},        \
        {"shuffles", CONF_COUNT, "N", NULL, 0, 1000, "0", NULL,                                \
            "Shuffle the windows of each source so often, and tell what the engines say when " \
            "nothing happens together."},                                                      \
        {"plant", CONF_FLAG, NULL, NULL, 0, 0, NULL, NULL,                                     \
            "Plant crowds that act in step into recorded windows, and tell which are found."}, \
        {"plant-hosts", CONF_TEXT, "LIST", NULL, 0, 100, "20,50,100,200,500,1000", NULL,       \
            "Their sizes, hosts, separated by commas."},                                       \
        {"plant-slots", CONF_TEXT, "LIST", NULL, 0, 100, "2,4,6", NULL,                        \
            "In how many of a window's twelve slots all of them send."},                       \
        {"trials", CONF_COUNT, "N", NULL, 1, PLANT_TRIALS, "20", NULL,                         \
            "Trials for each size and number of slots."},                                      \
        {"plant-after", CONF_DURATION, "TIME", NULL, 0, 365 * 86400, "2d", NULL,               \
            "How long engines learn before crowds are planted."},                              \
    {                                                                                          \
        "contest-seed", CONF_COUNT, "N", NULL, 0, 1e15, "1", NULL,                             \
            "Seed of shuffles and crowds."                                                     \
    }

/* Is anything asked for that needs recorded windows? */
bool contest_wanted(const struct conf *conf);

struct contest {
    const struct conf *conf; /* borrowed */
    struct setup setup;
    struct evaluation *ev; /* borrowed */
    struct plant_options plant;
    bool plant_now; /* this run is the one in which crowds are planted */
};

/* Read what the options name. ERR_BAD, ERR_RANGE: the fault says which list is wrong. */
enum err contest_open(struct contest *c, const struct conf *conf, struct evaluation *ev,
    struct fault *f) MUST_CHECK;
void contest_close(struct contest *c);

/* One run over a tape. The truth is taken; NULL: it is not known, and alerts are not judged. */
enum err contest_run(struct contest *c, const char *name, struct tape *t, struct truth *truth,
    struct fault *f) MUST_CHECK;

#endif

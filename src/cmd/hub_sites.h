#ifndef CMD_HUB_SITES_H
#define CMD_HUB_SITES_H

#include "cmd/demo.h"
#include "cmd/hub_live.h"
#include "cmd/keep.h"
#include "cmd/setup.h"
#include "cmd/site_list.h"

/* The sites of a hub: captures, interfaces and simulated ones. Interfaces are opened first,
 * while the program still may; everything that reads a byte comes later. */
struct hub_sites {
    struct source **live; /* owned until a feed takes them */
    char (*live_names)[RECORD_NAME_MAX + 1];
    size_t live_count;
    struct site_list list;
    struct demo *demo;
    const struct setup *setup; /* borrowed while sites are made */
    struct keep *keep;         /* the same */
    size_t planned;            /* sites that will share the memory */
    struct hub_site *about;    /* one a site */
    struct site **sites;
    size_t count;
};

/* Read which captures the options name, and open the interfaces. */
enum err hub_sites_live(
    struct hub_sites *h, const struct conf *conf, struct fault *f) MUST_CHECK;

/* Open captures and the demonstration and make all sites. Captures that the data folder has
 * taken in already are left out, with a note through `note`. */
enum err hub_sites_open(struct hub_sites *h, const struct setup *setup, struct keep *keep,
    void (*note)(const char *site, const char *text), struct fault *f) MUST_CHECK;

void hub_sites_close(struct hub_sites *h);

#endif

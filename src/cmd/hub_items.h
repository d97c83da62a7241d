#ifndef CMD_HUB_ITEMS_H
#define CMD_HUB_ITEMS_H

#include "base/conf.h"

/* The options of `kizashi hub`, which are the values of its configuration file, too. */
extern const struct conf_item hub_items[];

#endif

#ifndef STORE_CHDB_FIND_H
#define STORE_CHDB_FIND_H

#include "base/err.h"

#include <stddef.h>

/* Where the embedded store's library, libchdb.so, is looked for, in this order:
 *
 *     the path that the options name (then nowhere else)
 *     $KIZASHI_CHDB                           (then nowhere else)
 *     ../lib/kizashi/libchdb.so               from the folder of the program
 *     var/chdb/libchdb.so                     from the top of a checkout the program was built
 * in /usr/local/lib/kizashi/libchdb.so, /usr/local/lib/libchdb.so /usr/lib/kizashi/libchdb.so,
 * /usr/lib/libchdb.so, /usr/lib/<machine>-linux-gnu/libchdb.so
 */
enum {
    CHDB_PATH = 4096
};

/* The first that is there. `option` may be NULL. ERR_NOTFOUND: the fault lists the places. */
enum err chdb_find(const char *option, char ret_path[CHDB_PATH], struct fault *f) MUST_CHECK;

#endif

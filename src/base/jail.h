#ifndef BASE_JAIL_H
#define BASE_JAIL_H

#include "base/err.h"

/* What a process gives up before it looks at the first hostile byte: root, further privileges,
 * core files, and the system calls that its work does not need. There is no way back. */
enum jail_level {
    /* Threads, files and TCP, UDP, Unix sockets go on. Refused (EPERM): starting programs,
     * looking into other processes, raw and packet sockets, mounts, namespaces, kernel modules,
     * BPF, clocks and keys. For the hub, once its capture sockets are open. */
    JAIL_SERVER,
    /* Computes, takes memory, reads and writes what is open, and ends. Any other call ends the
     * process at once (SIGSYS); memory that is both written and executed is refused. */
    JAIL_PARSER
};

struct jail {
    enum jail_level level;
    /* Whom root turns into; NULL: jail_user_default(). "root" keeps its user and its files, but
     * no capability: weaker, because files of root stay open to it. Capabilities belong to
     * threads: then enter before the first other thread starts. */
    const char *user;
};

/* "kizashi" where there is such a user, else "nobody". Not for threads: reads the user table.
 */
const char *jail_user_default(void);

/**
 * Enter, with all threads of the process; descriptors that are open stay open. A process that
 * is not root keeps its user, whatever `user` says, and has no capability left.
 *
 * @return OK; ERR_NOTFOUND: there is no such user; ERR_IO: the system refused a step, which the
 * fault names: the process is then in no state to go on with hostile input.
 */
enum err jail_enter(const struct jail *jail, struct fault *f) MUST_CHECK;

#endif

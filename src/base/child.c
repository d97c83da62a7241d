#include "base/child.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static void descriptors_close(int but)
{
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (most > 0 && most < 65536 ? most : 65536); fd++)
        if (fd != but)
            close(fd);
}

static bool become(const char *user)
{
    const struct passwd *p = user ? getpwnam(user) : NULL;
    if (!user || geteuid() != 0)
        return true;
    return p && initgroups(p->pw_name, p->pw_gid) == 0 && setgid(p->pw_gid) == 0 &&
           setuid(p->pw_uid) == 0;
}

bool child_settle(int keep, const char *user)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    descriptors_close(keep);
    return become(user);
}

void child_end(void)
{
    for (;;)
        kill(getpid(), SIGKILL);
}

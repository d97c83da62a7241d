#include "cmd/privileges.h"

#include "base/jail.h"
#include "base/log.h"
#include "cmd/folder.h"

#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum err privileges_drop(
    const char *user, const char *data, const char *log_name, struct fault *f)
{
    if (!user)
        user = getpwnam("kizashi") ? "kizashi" : "root";
    struct jail jail = {.level = JAIL_SERVER, .user = user};
    bool stays = strcmp(user, "root") == 0;
    enum err e = OK;
    if (geteuid() == 0 && stays && log_name)
        log_event(LOG_INFO, log_name,
            "text=\"root without capabilities; better is a user kizashi, or --user NAME\"");
    if (geteuid() == 0 && !stays)
        e = folder_give(data, user, f);
    if (e)
        return e;
    e = jail_enter(&jail, f);
    if (e == ERR_NOTFOUND)
        fault_prefix(f, "--user");
    return e;
}

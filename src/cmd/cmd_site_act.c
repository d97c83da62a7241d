#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/ending.h"
#include "cmd/site_action_file.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* site act: does at a site what the hub asked for. The sensor, which hears the hub, has no
 * rights; this has, hears nobody, and knows a table of three. */

static const struct conf_item items[] = {
    {.name = "data",
        .type = CONF_TEXT,
        .arg = "DIR",
        .initial = "/var/lib/kizashi-sensor",
        .text = "The sensor's folder."},
    {.name = "programs",
        .type = CONF_TEXT,
        .arg = "DIR",
        .initial = "/usr/bin",
        .text = "Where systemctl and apt-get are."},
    {.name = NULL},
};

enum {
    WORDS = 8,
    COMMANDS = 2
};

/* What is run, in order, until one fails; "@" stands for the service. */
static const struct plan {
    enum site_action_kind kind;
    const char *commands[COMMANDS][WORDS];
    bool ends_us; /* told as over before it is begun */
} plans[SITE_ACTION_KINDS] = {
    {ACTION_RESTART, {{"systemctl", "restart", "--", "@"}}, false},
    {ACTION_UPGRADE,
        {{"apt-get", "-q", "update"},
            /* Nobody is there to be asked whether sensor.yaml stays: it does. */
            {"apt-get", "-q", "-y", "-oDpkg::Options::=--force-confold", "install",
                "--only-upgrade", "kizashi"}},
        false},
    {ACTION_REBOOT, {{"systemctl", "reboot"}}, true},
};

static enum err command_run(const char *programs, const char *const words[WORDS],
    const struct site_action *a, struct fault *f)
{
    char path[PATH_MAX];
    char *arguments[WORDS + 1] = {0};
    char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char quiet[] = "DEBIAN_FRONTEND=noninteractive";
    char plain[] = "LC_ALL=C.UTF-8";
    char *environment[] = {search, quiet, plain, NULL};
    pid_t child;
    int status = 0;
    for (size_t i = 0; i < WORDS && words[i]; i++)
        arguments[i] = (char *)(uintptr_t)(strcmp(words[i], "@") == 0 ? a->service : words[i]);
    snprintf(path, sizeof path, "%.4000s/%s", programs, words[0]);
    int failed = posix_spawn(&child, path, NULL, NULL, arguments, environment);
    if (failed)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(failed));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    return fault_set(f, ERR_IO, "%s %s ended with status %d", words[0], words[1],
        WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static enum err plan_run(const char *programs, const struct site_action *a, struct fault *f)
{
    const struct plan *plan = &plans[a->kind];
    enum err e = OK;
    for (size_t i = 0; i < COMMANDS && plan->commands[i][0] && !e; i++)
        e = command_run(programs, plan->commands[i], a, f);
    return e;
}

static enum err act(const struct conf *conf, struct fault *f)
{
    const char *folder = conf_text(conf, "data");
    struct clock wall = clock_system();
    struct site_action a;
    enum err e = site_action_take(folder, &a, f);
    if (e)
        return e;
    if (clock_now(&wall) > a.until)
        return site_action_over(folder, a.id, "too late: it was to begin earlier", f);
    printf("%s %s\n", site_action_name(a.kind), a.service);
    fflush(stdout);
    e = plans[a.kind].ends_us ? site_action_over(folder, a.id, "", f) : OK;
    if (e)
        return e;
    struct fault why = {0};
    enum err failed = plan_run(conf_text(conf, "programs"), &a, &why);
    if (failed || !plans[a.kind].ends_us)
        e = site_action_over(folder, a.id, failed ? why.text : "", f);
    if (!e && failed)
        *f = why;
    return e ? e : failed;
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct fault f = {0};
    (void)count;
    (void)operands;
    enum err e = act(conf, &f);
    if (e)
        ending_tell("site act", e, &f);
    return !e ? EXIT_DONE : EXIT_PROBLEM;
}

const struct command cmd_site_act = {
    .name = "site act",
    .text = "At a site: do what the hub asked for, once (restart, upgrade, reboot).",
    .items = items,
    .run = run,
    .more = "For the unit kizashi-site-act, which starts it when the sensor has put an action "
            "into its folder. Where that unit is not enabled, the hub can ask and nothing "
            "happens. It restarts services of kizashi, upgrades the package kizashi, reboots, "
            "and does nothing else.\n\n"
            "  systemctl enable --now kizashi-site-act.path\n",
};

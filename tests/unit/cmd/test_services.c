#include "test.h"

#include "cmd/services.h"

#include <stdarg.h>

/* A machine's files in a folder of its own. */
static void machine_do(const char *root, const char *command)
{
    char line[600];
    snprintf(line, sizeof line, "cd %s && %s", root, command);
    assert_int_equal(system(line), 0);
}

static int machine_make(void **state)
{
    char *root = strdup("/tmp/kizashi-services-XXXXXX");
    *state = root;
    return root && mkdtemp(root) ? 0 : -1;
}

static int machine_drop(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", (const char *)*state);
    int status = system(command);
    free(*state);
    return status;
}

static void enable(const char *root)
{
    machine_do(root, "mkdir -p etc/systemd/system/multi-user.target.wants "
                     "etc/systemd/system/timers.target.wants");
    machine_do(root, "cd etc/systemd/system && ln -s /lib/x "
                     "multi-user.target.wants/kizashi-sensor.service && "
                     "ln -s /lib/x multi-user.target.wants/kizashi-honeypot.service && "
                     "ln -s /lib/x timers.target.wants/kizashi-honeypot.service && "
                     "ln -s /lib/x multi-user.target.wants/kizashi-site-act.path && "
                     "ln -s /lib/x multi-user.target.wants/cron.service");
}

static void tells(void **state)
{
    const char *root = *state;
    char text[128];
    enable(root);
    machine_do(root, "mkdir -p sys/fs/cgroup/system.slice/cron.service");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "kizashi-honeypot,kizashi-sensor");
    machine_do(root, "mkdir sys/fs/cgroup/system.slice/kizashi-sensor.service");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "kizashi-honeypot");
    machine_do(root, "mkdir sys/fs/cgroup/system.slice/kizashi-honeypot.service");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "");
}

static void older(void **state)
{
    const char *root = *state;
    char text[128];
    enable(root);
    machine_do(root, "mkdir -p sys/fs/cgroup/systemd/system.slice/kizashi-sensor.service");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "kizashi-honeypot");
}

static void without(void **state)
{
    const char *root = *state;
    char text[128] = "before";
    enable(root);
    services_down(root, text, sizeof text);
    assert_string_equal(text, "");
    machine_do(root, "rm -r etc && mkdir -p sys/fs/cgroup/system.slice");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "");
}

static void cut(void **state)
{
    const char *root = *state;
    char text[17]; /* of kizashi-honeypot, with its end */
    enable(root);
    machine_do(root, "mkdir -p sys/fs/cgroup/system.slice");
    services_down(root, text, sizeof text);
    assert_string_equal(text, "kizashi-honeypot");
    services_down(root, text, 16);
    assert_string_equal(text, "kizashi-sensor");
}

static const struct CMUnitTest tests[] = {
    SAYS_WITH("services of kizashi that are enabled and do not run are named", tells,
        machine_make, machine_drop),
    SAYS_WITH("so they are where cgroups are of version 1", older, machine_make, machine_drop),
    SAYS_WITH("where systemd does not run, or nothing is enabled, none is", without,
        machine_make, machine_drop),
    SAYS_WITH("a name that does not fit is left out whole", cut, machine_make, machine_drop),
};
TEST_MAIN(tests)

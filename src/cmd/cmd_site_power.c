#include "cmd/commands.h"

#include "base/clock.h"
#include "cmd/confirm.h"
#include "cmd/ending.h"
#include "cmd/options.h"
#include "cmd/power_helper.h"
#include "cmd/version.h"
#include "fleet/power_keeper.h"
#include "store/catalog_fleet.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* site power: the management controller of a site's machine. Not through the hub: this command
 * runs on the hub's machine, by hand or by a unit of its own. */

static const struct conf_item items[] = {
    DATA_ITEM("Data folder of the hub."),
    {.name = "ipmi",
        .type = CONF_TEXT,
        .arg = "HOST[:PORT]",
        .max = 200,
        .text = "From now on the site's power is switched over IPMI at this address."},
    {.name = "redfish",
        .type = CONF_TEXT,
        .arg = "URL",
        .max = 250,
        .text = "The same over Redfish: https://HOST, and after a # the pin (sha256//...) of a "
                "key that nobody has certified."},
    {.name = "user", .type = CONF_TEXT, .arg = "NAME", .max = 60, .text = "User there."},
    {.name = "secret-file",
        .type = CONF_FILE,
        .arg = "FILE",
        .max = 250,
        .text = "File of mode 0600 with the password; only its path is kept."},
    {.name = "forget", .type = CONF_FLAG, .text = "The site's power is switched no longer."},
    {.name = "confirm",
        .type = CONF_TEXT,
        .arg = "NAME",
        .text = "The site's name again, instead of typing it when asked."},
    {.name = NULL},
};

struct switching {
    const struct conf *conf;
    const char *site;
    struct catalog *catalog;
    struct clock wall;
    char who[64];
};

/* ---- where ---- */

static enum err note(struct switching *s, const char *detail, struct fault *f)
{
    struct catalog_audit row = {.time = clock_now(&s->wall), .what = "site.power"};
    snprintf(row.who, sizeof row.who, "%s", s->who);
    snprintf(row.subject, sizeof row.subject, "%.63s", s->site);
    snprintf(row.detail, sizeof row.detail, "%s", detail);
    return catalog_audit_add(s->catalog, &row, f);
}

/* A relative path means something else to whoever comes next. */
static enum err secret_path(const char *given, char ret_path[CATALOG_SENTENCE], struct fault *f)
{
    char whole[PATH_MAX];
    if (!realpath(given, whole) || strlen(whole) >= CATALOG_SENTENCE)
        return fault_set(f, ERR_NOTFOUND, "--secret-file: there is no file %s", given);
    memcpy(ret_path, whole, strlen(whole) + 1);
    return OK;
}

static enum err door_set(struct switching *s, struct fault *f)
{
    const char *ipmi = conf_text(s->conf, "ipmi");
    const char *redfish = conf_text(s->conf, "redfish");
    const char *user = conf_text(s->conf, "user");
    const char *secret = conf_text(s->conf, "secret-file");
    struct catalog_power p = {0};
    if (ipmi && redfish)
        return fault_set(f, ERR_BAD, "--ipmi and --redfish exclude each other");
    if (!user || !secret)
        return fault_set(f, ERR_BAD, "--user and --secret-file belong to an address");
    snprintf(p.site, sizeof p.site, "%.63s", s->site);
    snprintf(p.kind, sizeof p.kind, "%s", ipmi ? "ipmi" : "redfish");
    snprintf(p.address, sizeof p.address, "%.255s", ipmi ? ipmi : redfish);
    snprintf(p.user, sizeof p.user, "%.63s", user);
    enum err e = secret_path(secret, p.secret, f);
    if (!e)
        e = power_check(&(struct power_door){p.kind, p.address, p.user, p.secret}, f);
    if (!e)
        e = catalog_power_put(s->catalog, &p, f);
    char detail[600];
    snprintf(detail, sizeof detail, "%s at %s as %s", p.kind, p.address, p.user);
    return e ? e : note(s, detail, f);
}

/* ---- what ---- */

static enum err run_here(void *context, const struct power_door *door, enum power_action action,
    bool *ret_on, struct fault *f)
{
    char path[PATH_MAX];
    (void)context;
    return power_run(door, action, power_helper_find(path), ret_on, f);
}

static enum err act(struct switching *s, const char *word, struct fault *f)
{
    enum power_action action;
    char question[160];
    bool on = false;
    if (power_action_parse(word, &action) != OK)
        return fault_set(f, ERR_BAD,
            "\"%.40s\" is nothing to do with power: status, on, off, shutdown, cycle or reset",
            word);
    snprintf(question, sizeof question, "Power of %.63s: %s.", s->site, word);
    enum err e = OK;
    if (action != POWER_STATUS)
        e = confirm_word(question, s->site, conf_text(s->conf, "confirm"), f);
    if (!e)
        e = power_switch(s->catalog,
            &(struct power_asked){.site = s->site,
                .action = action,
                .who = s->who,
                .clock = s->wall,
                .run = run_here},
            &on, f);
    if (!e)
        printf("%s: power is %s\n", s->site, on ? "on" : "off");
    return e;
}

static enum err do_all(struct switching *s, size_t count, char **operands, struct fault *f)
{
    bool place = conf_text(s->conf, "ipmi") || conf_text(s->conf, "redfish");
    if (place && (count > 1 || conf_flag(s->conf, "forget")))
        return fault_set(f, ERR_BAD, "set the address first, then switch");
    if (place)
        return door_set(s, f);
    if (!conf_flag(s->conf, "forget"))
        return act(s, count > 1 ? operands[1] : "status", f);
    enum err e = catalog_power_remove(s->catalog, s->site);
    return e ? fault_set(f, e, "%s", err_text(e)) : note(s, "forgotten", f);
}

static int run(struct conf *conf, size_t count, char **operands)
{
    struct switching s = {.conf = conf, .wall = clock_system()};
    struct fault f = {0};
    char path[4200];
    confirm_person(s.who);
    snprintf(path, sizeof path, "%.4000s/catalog.sqlite", conf_text(conf, "data"));
    enum err e = count == 1 || count == 2
                     ? OK
                     : fault_set(&f, ERR_BAD, "the name of a site is needed, then what to do");
    if (!e && access(path, R_OK | W_OK) != 0)
        e = fault_set(
            &f, ERR_NOTFOUND, "%s: there is no data folder of a hub", conf_text(conf, "data"));
    if (!e)
        e = catalog_open(&s.catalog, path, &f);
    if (!e) {
        s.site = operands[0];
        e = do_all(&s, count, operands, &f);
    }
    catalog_close(s.catalog);
    return ending("site power", e, &f);
}

const struct command cmd_site_power = {
    .name = "site power",
    .text = "Ask for and switch the power of a site's machine, over IPMI or Redfish.",
    .operands = "NAME [status|on|off|shutdown|cycle|reset]",
    .items = items,
    .run = run,
    .more =
        "Who may write the data folder may switch. Everything but status asks for the site's "
        "name to be typed, and goes into the audit log before it is done, with its result "
        "after. Passwords stay in files of mode 0600. off switches off at once, shutdown asks "
        "the operating system to.\n\n"
        "IPMI needs the program kizashi-ipmi, which is built where FreeIPMI's library is "
        "installed.\n\n"
        "Examples:\n"
        "  kizashi site power jp-01 --ipmi 192.0.2.7 --user kizashi --secret-file jp-01.bmc\n"
        "  kizashi site power jp-01\n"
        "  kizashi site power jp-01 cycle --confirm jp-01\n",
};

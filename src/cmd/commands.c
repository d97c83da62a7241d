#include "cmd/commands.h"

#include <stddef.h>

extern const struct command cmd_alerts;
extern const struct command cmd_alerts_mark;
extern const struct command cmd_alerts_revoke;
extern const struct command cmd_alerts_suppressions;
extern const struct command cmd_anonymize;
extern const struct command cmd_backup;
extern const struct command cmd_doctor;
extern const struct command cmd_engines;
extern const struct command cmd_evaluate;
extern const struct command cmd_export;
extern const struct command cmd_forecasts;
extern const struct command cmd_hub;
extern const struct command cmd_replay;
extern const struct command cmd_sensor;
extern const struct command cmd_screen_groups;
extern const struct command cmd_screen_patterns;
extern const struct command cmd_screen_rules;
extern const struct command cmd_screen_tags;
extern const struct command cmd_simulate_telescope;
extern const struct command cmd_site_act;
extern const struct command cmd_site_action;
extern const struct command cmd_site_config;
extern const struct command cmd_site_image;
extern const struct command cmd_site_list;
extern const struct command cmd_site_policy;
extern const struct command cmd_site_power;
extern const struct command cmd_site_show;
extern const struct command cmd_site_add;
extern const struct command cmd_site_bus_config;
extern const struct command cmd_site_certificates;
extern const struct command cmd_site_enrol;
extern const struct command cmd_site_revoke;
extern const struct command cmd_stats;
extern const struct command cmd_user_add;
extern const struct command cmd_user_list;
extern const struct command cmd_user_password;
extern const struct command cmd_user_remove;

const struct command *const commands[] = {
    &cmd_hub,
    &cmd_replay,
    &cmd_sensor,
    &cmd_site_list,
    &cmd_site_show,
    &cmd_site_add,
    &cmd_site_enrol,
    &cmd_site_revoke,
    &cmd_site_certificates,
    &cmd_site_config,
    &cmd_site_policy,
    &cmd_site_action,
    &cmd_site_act,
    &cmd_site_power,
    &cmd_site_image,
    &cmd_site_bus_config,
    &cmd_stats,
    &cmd_alerts,
    &cmd_alerts_mark,
    &cmd_alerts_suppressions,
    &cmd_alerts_revoke,
    &cmd_forecasts,
    &cmd_export,
    &cmd_anonymize,
    &cmd_engines,
    &cmd_screen_tags,
    &cmd_screen_groups,
    &cmd_screen_patterns,
    &cmd_screen_rules,
    &cmd_simulate_telescope,
    &cmd_evaluate,
    &cmd_user_list,
    &cmd_user_add,
    &cmd_user_password,
    &cmd_user_remove,
    &cmd_backup,
    &cmd_doctor,
    NULL,
};

#ifndef CMD_ANONYMIZE_AUDIT_H
#define CMD_ANONYMIZE_AUDIT_H

#include "anon/anon.h"
#include "base/conf.h"

/* `kizashi anonymize --audit`: what is still given away. Rows go to standard output. */

#define ANONYMIZE_AUDIT_ITEMS                                                                  \
    {.name = "audit",                                                                          \
        .type = CONF_TEXT,                                                                     \
        .arg = "WHAT",                                                                         \
        .values = "locate|addresses|series",                                                   \
        .text = "Measure what is given away instead: locate simulates somebody who looks for " \
                "the sensors in published statistics; addresses attacks the mapping of the "   \
                "captures' addresses; series compares two files of time,key,value, a "         \
                "published one and one's own."},                                               \
        {.name = "publication",                                                                \
            .type = CONF_FILE,                                                                 \
            .arg = "FILE",                                                                     \
            .max = 4096,                                                                       \
            .text = "With --audit locate: the policy of publication to attack, beside none "   \
                    "and the default."},                                                       \
        {.name = "sites",                                                                      \
            .type = CONF_COUNT,                                                                \
            .arg = "N",                                                                        \
            .min = 1,                                                                          \
            .max = 64,                                                                         \
            .initial = "12",                                                                   \
            .text = "With --audit locate: hidden sensors."},                                   \
        {.name = "attack-sources",                                                             \
            .type = CONF_COUNT,                                                                \
            .arg = "N",                                                                        \
            .min = 1,                                                                          \
            .max = 1000000,                                                                    \
            .initial = "200",                                                                  \
            .text = "With --audit locate: addresses that the attacker sends from."},           \
        {.name = "attack-time",                                                                \
            .type = CONF_DURATION,                                                             \
            .arg = "DURATION",                                                                 \
            .min = 600,                                                                        \
            .max = 31536000,                                                                   \
            .initial = "30d",                                                                  \
            .text = "With --audit locate: how long he goes on."},                              \
        {.name = "trials",                                                                     \
            .type = CONF_COUNT,                                                                \
            .arg = "N",                                                                        \
            .min = 1,                                                                          \
            .max = 100000,                                                                     \
            .initial = "200",                                                                  \
            .text = "With --audit locate: how often, each time with other sensors."},          \
        {.name = "injected",                                                                   \
            .type = CONF_COUNT,                                                                \
            .arg = "N",                                                                        \
            .min = 0,                                                                          \
            .max = 1000000,                                                                    \
            .initial = "100",                                                                  \
            .text = "With --audit addresses: addresses of which the attacker knows what "      \
                    "became of them."},                                                        \
        {.name = "lag-most",                                                                   \
            .type = CONF_COUNT,                                                                \
            .arg = "STEPS",                                                                    \
            .min = 0,                                                                          \
            .max = 10000,                                                                      \
            .initial = "24",                                                                   \
            .text = "With --audit series: lags that are tried."},                              \
    {                                                                                          \
        .name = "seed", .type = CONF_COUNT, .arg = "S", .initial = "1",                        \
        .text = "With --audit locate and series: of what is drawn."                            \
    }

/* The command with --audit; `policy` is that of --policy. */
enum err anonymize_audit(const struct conf *conf, const struct anon_policy *policy,
    const char *const *files, size_t count, struct fault *f) MUST_CHECK;

#endif

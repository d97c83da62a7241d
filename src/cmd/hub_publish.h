#ifndef CMD_HUB_PUBLISH_H
#define CMD_HUB_PUBLISH_H

#include "api/api.h"
#include "base/conf.h"

/* What the hub lets out, as its options say. */

#define HUB_PUBLISH_ITEMS                                                                      \
    {.name = "publish",                                                                        \
        .type = CONF_FILE,                                                                     \
        .values = "default",                                                                   \
        .arg = "POLICY",                                                                       \
        .max = 4096,                                                                           \
        .text = "Publish the busiest services to partners (users and tokens of that role), "   \
                "after this policy: a file, or default. Without it nothing leaves the hub "    \
                "that way."},                                                                  \
        {.name = "publish-to-all",                                                             \
            .type = CONF_FLAG,                                                                 \
            .text = "What is published can be read without signing in."},                      \
    {                                                                                          \
        .name = "publish-keep", .type = CONF_DURATION, .arg = "DURATION", .initial = "30d",    \
        .min = 3600, .max = 157680000.0, /* 5 years */                                         \
            .text = "How far back what is published goes."                                     \
    }

/* A policy's file; the fault names it. */
enum err publication_file_read(
    const char *path, struct publication_policy *ret_policy, struct fault *f) MUST_CHECK;

/* Off without --publish. ERR_BAD: the policy, or an option that needs one. */
enum err hub_publish_read(const struct conf *conf, struct api_publication *ret_publication,
    struct fault *f) MUST_CHECK;

/* Its secret comes from the catalogue, and the audit log hears of a change. */
enum err hub_publish_begin(struct catalog *c, int64_t now, struct api_publication *publication,
    struct fault *f) MUST_CHECK;

#endif

#ifndef CMD_FLEET_TEXT_H
#define CMD_FLEET_TEXT_H

#include "base/json.h"

#include <stdio.h>

/* Sites and their documents for people, from what the API says of them. */

/* Fleet: a line a site, what needs a person first. */
void fleet_text_rows(FILE *out, const json_t *fleet);

/* FleetSite: how it is, what it said, its figures, what happened. */
void fleet_text_site(FILE *out, const json_t *site);

/* What does not work under a policy, an array of Loss of the HTTP API: a line each. */
void fleet_text_losses(FILE *out, const json_t *losses);

/* DocumentChange[]: "payload: 64 -> 128" a line; "  " before each. */
void fleet_text_changes(FILE *out, const json_t *changes);

/* SiteConfig.versions: a paragraph each. */
void fleet_text_versions(FILE *out, const json_t *versions);

/* Any JSON, indented. */
void fleet_text_json(FILE *out, const json_t *value);

#endif

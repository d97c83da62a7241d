#ifndef API_HANDLER_INT_H
#define API_HANDLER_INT_H

#include "api/request_int.h"

/* What the routes run. Each fills the reply, or returns an error that becomes a problem. */

/* people.c */
enum err handle_login(struct request *r);
enum err handle_logout(struct request *r);
enum err handle_me(struct request *r);
enum err handle_password(struct request *r);
enum err handle_users(struct request *r);
enum err handle_user_create(struct request *r);
enum err handle_user_change(struct request *r);
enum err handle_user_delete(struct request *r);
enum err handle_tokens(struct request *r);
enum err handle_token_create(struct request *r);
enum err handle_token_delete(struct request *r);

/* audit.c */
enum err handle_audit(struct request *r);

/* backup.c */
enum err handle_backup(struct request *r);

/* warnings.c */
enum err handle_alerts(struct request *r);
enum err handle_alert(struct request *r);

/* marks.c, forecasts.c */
enum err handle_alert_change(struct request *r);
enum err handle_suppressions(struct request *r);
enum err handle_suppression_delete(struct request *r);
enum err handle_forecasts(struct request *r);

/* traffic.c */
enum err handle_ports(struct request *r);
enum err handle_movers(struct request *r);
enum err handle_sources(struct request *r);
enum err handle_source(struct request *r);
enum err handle_countries(struct request *r);
enum err handle_asns(struct request *r);
enum err handle_tools(struct request *r);
enum err handle_totals(struct request *r);
enum err handle_classes(struct request *r);
enum err handle_screened(struct request *r);
enum err handle_tagged(struct request *r);
enum err handle_victims(struct request *r);

/* series.c, sites.c, overview.c, export.c, events.c */
enum err handle_series(struct request *r);
enum err handle_losses(struct request *r);
enum err handle_sites(struct request *r);
enum err handle_site(struct request *r);
enum err handle_overview(struct request *r);
enum err handle_packets(struct request *r);
enum err handle_events(struct request *r);

/* sites_fleet.c, sites_config.c */
enum err handle_fleet(struct request *r);
enum err handle_fleet_site(struct request *r);
enum err handle_site_config(struct request *r);
enum err handle_site_version(struct request *r);
enum err handle_site_configure(struct request *r);
enum err handle_document_schema(struct request *r);
enum err handle_site_actions(struct request *r);
enum err handle_site_act(struct request *r);
enum err handle_enrol(struct request *r);
enum err handle_renew(struct request *r);

/* sites_power.c */
enum err handle_site_power(struct request *r);
enum err handle_site_switch(struct request *r);
enum err handle_site_power_set(struct request *r);
enum err handle_site_power_forget(struct request *r);

/* questionnaire.c */
enum err handle_questionnaire(struct request *r);
enum err handle_propose(struct request *r);

/* published.c */
enum err handle_published(struct request *r);
enum err handle_published_ports(struct request *r);

/* hub.c */
enum err handle_datasets(struct request *r);
enum err handle_status(struct request *r);
enum err handle_openapi(struct request *r);
enum err handle_metrics(struct request *r);
enum err handle_healthz(struct request *r);

#endif

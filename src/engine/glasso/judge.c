/* All views of one window: graphs, groups, densities, findings. */
#include "engine/glasso/step_int.h"

#include <math.h>
#include <string.h>

enum {
    WINDOWS_LEAST = 6, /* a view says nothing before it was watched for so many */
    VIEWS_LEAST = 2    /* sites that make a view of all of them */
};
#define GRAPH_MEMORY ((size_t)1 << 30)

/* What one view is judged by. */
struct bench {
    struct sync *s;
    struct sync_step *step;
    struct view *view;
    struct sync_picture picture;
    struct sync_sums sums;
    double tests; /* log10 of how many graphs a day, over all views */
    size_t graphs;
    struct arena *memory; /* of one graph */
    struct sink *out;
};

static struct episode *find_episode(struct sync *s, size_t view, uint32_t service)
{
    for (size_t i = 0; i < s->episode_count; i++)
        if (s->episodes[i].view == view && s->episodes[i].service == service)
            return &s->episodes[i];
    return NULL;
}

static enum err begin_episode(
    struct sync *s, size_t view, uint32_t service, struct episode **ret_episode)
{
    enum err e = sync_episode_room(s);
    if (e)
        return e;
    if (s->episode_count == s->options.suspects_max) {
        s->left_out++;
        return ERR_FULL;
    }
    struct episode *made = &s->episodes[s->episode_count++];
    *made = (struct episode){.service = service,
        .view = (uint16_t)view,
        .first = s->now,
        .start = sync_window_start(s, s->now)};
    *ret_episode = made;
    return OK;
}

/* Histories move on; what was silent for an hour is forgotten. */
static void age_episodes(struct sync *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->episode_count; i++) {
        struct episode e = s->episodes[i];
        e.history = (uint8_t)(e.history << 1);
        if ((int64_t)(s->now - e.last) * s->window <= US_HOUR)
            s->episodes[kept++] = e;
    }
    s->episode_count = kept;
}

static enum err report(struct bench *b, const struct sync_graph *graph,
    const struct sync_group *group, double score)
{
    struct sync *s = b->s;
    size_t view = (size_t)(b->view - s->views);
    struct episode *episode = find_episode(s, view, graph->service);
    enum err e = episode ? OK : begin_episode(s, view, graph->service, &episode);
    if (e)
        return e == ERR_FULL ? OK : e;
    episode->history |= 1;
    episode->last = s->now;
    return sync_report_group(
        s, b->step, episode, graph, group, score, &b->picture, b->memory, b->out);
}

static enum err judge_graph(struct bench *b, size_t from, size_t *ret_next)
{
    struct sync *s = b->s;
    struct sync_graph graph;
    struct sync_group group = {0};
    arena_clear(b->memory);
    enum err e = sync_graph_take(s, b->view, &b->picture, from, ret_next, b->memory, &graph);
    if (!e)
        e = sync_graph_judge(s, &b->picture, &graph, &b->sums, &group, b->memory);
    if (e || graph.count < s->options.min_hosts)
        return e;
    b->graphs++;
    double score = tail_correct(&b->view->tail, group.log_p) - b->tests;
    size_t view = (size_t)(b->view - s->views);
    if (!find_episode(s, view, graph.service))
        tail_add(&b->view->tail, group.log_p);
    bool fires =
        group.hosts >= s->options.min_hosts && score >= 0.0 && b->view->windows > WINDOWS_LEAST;
    return fires ? report(b, &graph, &group, score) : OK;
}

static enum err judge_densities(struct bench *b, struct arena *scratch)
{
    enum err e = OK;
    for (size_t k = 0; !e && k < b->s->options.penalty_count; k++) {
        struct sync_jump jump = sync_density_judge(b->s, b->view, k, &b->sums);
        b->s->left_out += b->sums.too_large[k];
        if (jump.fires)
            e = sync_report_jump(b->s, b->view, k, &jump, &b->sums, scratch, b->out);
    }
    return e;
}

static enum err judge_view(
    struct bench *b, const struct sync_entry *entries, size_t count, struct arena *scratch)
{
    struct view *v = b->view;
    v->windows++;
    if (v->windows * b->s->window % US_DAY == 0)
        tail_decay(&v->tail);
    memset(&b->sums, 0, sizeof b->sums);
    b->graphs = 0;
    b->picture = sync_picture_take(b->s, v, entries, count);
    enum err e = OK;
    for (size_t at = 0; !e && at < count;)
        e = judge_graph(b, at, &at);
    double gain = fmax(1.0 / v->windows, 0.01);
    v->graphs += gain * ((double)b->graphs - v->graphs);
    return e ? e : judge_densities(b, scratch);
}

static enum err find_view(struct sync *s, const char *name, struct view **ret_view)
{
    for (size_t i = 0; i < s->view_count; i++)
        if (strcmp(s->views[i].name, name) == 0) {
            *ret_view = &s->views[i];
            return OK;
        }
    enum err e = sync_view_add(s, name, ret_view);
    if (e == ERR_FULL)
        s->left_out++;
    return e;
}

static double log_tests(const struct sync *s)
{
    double graphs = 1.0;
    for (size_t i = 0; i < s->view_count; i++)
        graphs += s->views[i].graphs;
    return log10(graphs * (double)US_DAY / (double)s->window);
}

static enum err judge_views(struct bench *b, struct arena *scratch)
{
    const struct window *w = b->step->window;
    size_t watching = 0;
    for (size_t k = 0; k < w->site_count; k++)
        watching += w->sites[k].watching;
    enum err e = find_view(b->s, "", &b->view);
    if (!e && watching >= VIEWS_LEAST)
        e = judge_view(b, b->step->entries, b->step->entry_count, scratch);
    for (size_t k = 0; !e && k < w->site_count; k++) {
        if (!w->sites[k].watching)
            continue;
        e = find_view(b->s, w->sites[k].name, &b->view);
        if (e == ERR_FULL) {
            e = OK;
            continue;
        }
        size_t first = b->step->site_first[k];
        if (!e)
            e = judge_view(
                b, b->step->by_site + first, b->step->site_first[k + 1] - first, scratch);
    }
    return e;
}

enum err sync_step_judge(
    struct sync *s, struct sync_step *step, struct arena *scratch, struct sink *out)
{
    struct arena memory;
    arena_init(&memory, GRAPH_MEMORY);
    struct bench b = {
        .s = s, .step = step, .tests = log_tests(s), .memory = &memory, .out = out};
    age_episodes(s);
    enum err e = judge_views(&b, scratch);
    arena_done(&memory);
    return e;
}

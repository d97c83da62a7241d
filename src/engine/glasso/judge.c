/* All views of one window: graphs, groups, densities, findings. */
#include "engine/glasso/step_int.h"

#include <math.h>
#include <string.h>

enum {
    WINDOWS_LEAST = 6, /* a view says nothing before it was watched for so many */
    VIEWS_LEAST = 2    /* sites that make a view of all of them */
};
#define GRAPH_MEMORY ((size_t)1 << 30)

/* What one window is judged by. */
struct bench {
    struct sync_look look;
    double tests; /* log10 of how many graphs a day, over all views */
    size_t graphs;
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

/* Histories move on; what was silent for two hours is forgotten, as what comes every hour may
 * miss one. */
static void age_episodes(struct sync *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->episode_count; i++) {
        struct episode e = s->episodes[i];
        e.history <<= 1;
        if ((int64_t)(s->now - e.last) * s->window <= 2 * US_HOUR)
            s->episodes[kept++] = e;
    }
    s->episode_count = kept;
}

static enum err report(struct bench *b, const struct sync_graph *graph,
    const struct sync_group *group, double score)
{
    struct sync *s = b->look.s;
    size_t view = (size_t)(b->look.view - s->views);
    struct episode *episode = find_episode(s, view, graph->service);
    enum err e = episode ? OK : begin_episode(s, view, graph->service, &episode);
    if (e)
        return e == ERR_FULL ? OK : e;
    episode->history |= 1;
    episode->last = s->now;
    return sync_report_group(&b->look, episode, graph, group, score);
}

static enum err judge_graph(struct bench *b, size_t from, size_t *ret_next)
{
    struct sync_look *l = &b->look;
    struct sync_graph graph;
    struct sync_group group;
    arena_clear(l->scratch);
    enum err e = sync_graph_take(l, from, ret_next, &graph);
    if (!e)
        e = sync_graph_judge(l, &graph, &group);
    if (e || graph.count < l->s->options.min_hosts)
        return e;
    b->graphs++;
    double score = tail_correct(&l->view->tail, group.log_p) - b->tests;
    if (!find_episode(l->s, (size_t)(l->view - l->s->views), graph.service))
        tail_add(&l->view->tail, group.log_p);
    bool fires = group.hosts && score >= 0.0 && l->view->windows > WINDOWS_LEAST;
    return fires ? report(b, &graph, &group, score) : OK;
}

static enum err judge_densities(struct sync_look *l)
{
    enum err e = OK;
    for (size_t k = 0; !e && k < l->s->options.penalty_count; k++) {
        struct sync_jump jump = sync_density_judge(l, k);
        l->s->left_out += l->sums.too_large[k];
        if (jump.fires)
            e = sync_report_jump(l, k, &jump);
    }
    return e;
}

static enum err judge_view(struct bench *b, const struct sync_entry *entries, size_t count)
{
    struct sync_look *l = &b->look;
    struct view *v = l->view;
    v->windows++;
    if (v->windows * l->s->window % US_DAY == 0)
        tail_decay(&v->tail);
    l->sums = (struct sync_sums){.most_count = 0};
    l->picture = sync_picture_take(l->s, v, entries, count);
    b->graphs = 0;
    enum err e = OK;
    for (size_t at = 0; !e && at < count;)
        e = judge_graph(b, at, &at);
    double gain = fmax(1.0 / v->windows, 0.01);
    v->graphs += gain * ((double)b->graphs - v->graphs);
    return e ? e : judge_densities(l);
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

static enum err judge_site(struct bench *b, size_t site)
{
    const struct sync_step *step = b->look.step;
    enum err e = find_view(b->look.s, step->window->sites[site].name, &b->look.view);
    if (e)
        return e == ERR_FULL ? OK : e;
    size_t first = step->site_first[site];
    return judge_view(b, step->by_site + first, step->site_first[site + 1] - first);
}

static enum err judge_views(struct bench *b)
{
    const struct sync_step *step = b->look.step;
    size_t watching = 0;
    for (size_t k = 0; k < step->window->site_count; k++)
        watching += step->window->sites[k].watching;
    enum err e = find_view(b->look.s, "", &b->look.view);
    if (!e && watching >= VIEWS_LEAST)
        e = judge_view(b, step->entries, step->entry_count);
    for (size_t k = 0; !e && k < step->window->site_count; k++)
        if (step->window->sites[k].watching)
            e = judge_site(b, k);
    return e;
}

enum err sync_step_judge(struct sync *s, const struct sync_step *step, struct sink *out)
{
    struct arena memory;
    arena_init(&memory, GRAPH_MEMORY);
    struct bench b = {
        .look = {.s = s, .step = step, .scratch = &memory, .out = out}, .tests = log_tests(s)};
    age_episodes(s);
    enum err e = judge_views(&b);
    arena_done(&memory);
    return e;
}

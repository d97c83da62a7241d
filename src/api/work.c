#include "api/work_int.h"

#include <pthread.h>
#include <stdlib.h>

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t more;
    void (*run)(struct request *r);
    struct request *queue[WORK_QUEUE];
    size_t head, count;
    bool stopping;
    unsigned started;
    pthread_t threads[];
};

static struct request *next(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->count && !w->stopping)
        pthread_cond_wait(&w->more, &w->lock);
    struct request *r = NULL;
    if (w->count) {
        r = w->queue[w->head];
        w->head = (w->head + 1) % WORK_QUEUE;
        w->count--;
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

static void *work(void *context)
{
    struct workers *w = context;
    for (struct request *r = next(w); r; r = next(w))
        w->run(r);
    return NULL;
}

enum err workers_new(
    struct workers **ret_workers, unsigned threads, void (*run)(struct request *r))
{
    struct workers *w = calloc(1, sizeof *w + threads * sizeof w->threads[0]);
    if (!w)
        return ERR_NOMEM;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->run = run;
    while (w->started < threads && pthread_create(&w->threads[w->started], NULL, work, w) == 0)
        w->started++;
    if (w->started < threads) {
        workers_stop(w);
        workers_free(w);
        return ERR_NOMEM;
    }
    *ret_workers = w;
    return OK;
}

bool workers_offer(struct workers *w, struct request *r, void (*begin)(struct request *r))
{
    pthread_mutex_lock(&w->lock);
    bool taken = !w->stopping && w->count < WORK_QUEUE;
    if (taken) {
        begin(r);
        w->queue[(w->head + w->count++) % WORK_QUEUE] = r;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->lock);
    return taken;
}

void workers_stop(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (; w->started; w->started--)
        pthread_join(w->threads[w->started - 1], NULL);
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

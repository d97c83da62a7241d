/* Non-negative factorisation on made-up counts. Without arguments: both losses, both methods,
 * on the cases below. `bench_nmf CASE FILE` writes a case (for the peers' script); `bench_nmf
 * CASE LOSS METHOD TARGET` says how much CPU time it takes to come below that loss. */
#include "bench.h"
#include "num/nmf.h"

#include <assert.h>
#include <string.h>

enum {
    RANK = 10,
    MOST = 400 /* iterations */
};

static const struct bench_case {
    const char *name;
    size_t rows, cols;
    double mean; /* count a cell */
    bool sparse; /* handed over as such */
} cases[] = {
    {"dense", 2000, 1000, 2.0, false},
    {"sparse", 1800, 5000, 0.02, true},
};

/* Counts around a product of gamma factors; then where the factorisation begins. */
static struct matrix make(const struct bench_case *c, struct arena *a, struct nmf *ret_start)
{
    struct rng r;
    rng_seed(&r, 7);
    double *w = arena_take(a, c->rows * RANK, sizeof *w);
    double *h = arena_take(a, c->cols * RANK, sizeof *h);
    double *value = arena_take(a, c->rows * c->cols, sizeof *value);
    uint32_t *column = arena_take(a, c->rows * c->cols, sizeof *column);
    size_t *first = arena_take(a, c->rows + 1, sizeof *first);
    assert(w && h && value && column && first);
    for (size_t i = 0; i < c->rows * RANK; i++)
        w[i] = rng_gamma(&r, 0.5);
    for (size_t i = 0; i < c->cols * RANK; i++)
        h[i] = rng_gamma(&r, 0.5) * c->mean / (0.25 * RANK);
    size_t count = 0;
    for (size_t i = 0; i < c->rows; i++) {
        for (size_t j = 0; j < c->cols; j++) {
            double mean = 0.0;
            for (size_t k = 0; k < RANK; k++)
                mean += w[i * RANK + k] * h[j * RANK + k];
            double v = (double)rng_poisson(&r, mean);
            if (c->sparse && v < 0.5)
                continue;
            value[count] = v;
            column[count++] = (uint32_t)j;
        }
        first[i + 1] = count;
    }
    struct matrix m = {.rows = c->rows,
        .cols = c->cols,
        .value = value,
        .column = c->sparse ? column : NULL,
        .first = c->sparse ? first : NULL};
    enum err e = nmf_start_random(&m, RANK, &r, a, ret_start);
    assert(!e);
    return m;
}

static void put(FILE *f, const void *data, size_t size, size_t count)
{
    size_t written = fwrite(data, size, count, f);
    assert(written == count);
}

/* rows, cols, rank, values as 8-byte numbers; values; columns and firsts if sparse; w, h. */
static void write_case(const struct bench_case *c, const char *path)
{
    struct arena a;
    struct nmf start;
    arena_init(&a, (size_t)1 << 30);
    struct matrix m = make(c, &a, &start);
    FILE *f = fopen(path, "wb");
    assert(f);
    uint64_t count = c->sparse ? m.first[m.rows] : m.rows * m.cols;
    uint64_t head[4] = {m.rows, m.cols, RANK, count};
    put(f, head, sizeof head, 1);
    put(f, m.value, sizeof *m.value, count);
    if (c->sparse) {
        put(f, m.column, sizeof *m.column, count);
        put(f, m.first, sizeof *m.first, m.rows + 1);
    }
    put(f, start.w, sizeof *start.w, RANK * m.rows);
    put(f, start.h, sizeof *start.h, RANK * m.cols);
    fclose(f);
    arena_done(&a);
}

/* One more iteration after the other would copy the matrix each time; so the number that is
 * needed is found first, and then run at once. */
static void race(
    const struct bench_case *c, enum nmf_loss loss, enum nmf_method method, double target)
{
    double trace[MOST + 1];
    unsigned needed = MOST;
    struct bench b = {0};
    struct nmf f;
    struct nmf_options o = {.loss = loss,
        .method = method,
        .iterations = target > 0.0 ? MOST : 200,
        .tolerance = -1.0,
        .trace = trace};
    for (int round = 0; round < 2; round++) {
        struct arena a;
        arena_init(&a, (size_t)1 << 30);
        struct matrix m = make(c, &a, &f);
        bench_begin(&b);
        enum err e = nmf_fit(&f, &m, &o, &a);
        assert(!e);
        bench_end(&b);
        arena_done(&a);
        if (round)
            break;
        needed = 1;
        while (needed < o.iterations && (target <= 0.0 || trace[needed] > target))
            needed++;
        o.iterations = needed;
        o.trace = NULL;
    }
    double spent = b.round[b.count - 1];
    printf("nmf %s %s %s: %u iterations %.3f s loss %.8g\n", c->name,
        loss == NMF_SQUARE ? "square" : "poisson",
        method == NMF_DESCENT ? "descent" : "multiply", f.iterations, spent, f.loss);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        if (argc == 3)
            write_case(&cases[i], argv[2]);
        else if (argc == 5)
            race(&cases[i], strcmp(argv[2], "square") == 0 ? NMF_SQUARE : NMF_POISSON,
                strcmp(argv[3], "descent") == 0 ? NMF_DESCENT : NMF_MULTIPLY,
                strtod(argv[4], NULL));
        else
            for (int loss = 0; loss < 2; loss++)
                for (int method = 0; method < 2; method++)
                    race(&cases[i], (enum nmf_loss)loss, (enum nmf_method)method, 0.0);
    }
    return 0;
}

/* The graphical lasso on darknet-like data: log counts of `p` sources in `n` slots, a third of
 * the sources in 20 groups that act in the same slots. bench_glasso P N PENALTY SEED ROUNDS
 * [DATA [SOLUTION]]: the data go to the first file, as text, and the solution to the second, as
 * doubles (see glasso_peers.py). In the environment: with GLASSO_BARE the diagonal is not
 * penalised; GLASSO_TOLERANCE is that of the residual; with GLASSO_READ the data come from
 * DATA. */
#include "base/rng.h"
#include "bench.h"
#include "num/glasso.h"

#include <assert.h>
#include <math.h>

enum {
    GROUPS = 20,
    GROUP_SLOTS = 8
};

static double *make_data(size_t p, size_t n, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    double *x = calloc(p * n, sizeof *x);
    assert(x);
    bool(*active)[GROUPS] = calloc(n, sizeof *active);
    assert(active);
    for (size_t g = 0; g < GROUPS; g++)
        for (unsigned k = 0; k < GROUP_SLOTS; k++)
            active[rng_below(&r, n)][g] = true;
    for (size_t i = 0; i < p; i++) {
        double rate = 0.3 * exp(rng_normal(&r));
        double packets = 0.0;
        while (
            !(packets > 0.0)) /* who sends nothing is no source; its variance would be zero */
            for (size_t k = 0; k < n; k++) {
                double more = i < p / 3 && active[k][i % GROUPS] ? 3.0 : 0.0;
                double count = (double)rng_poisson(&r, rate + more);
                packets += count;
                x[i * n + k] = log(fmax(count, 0.1));
            }
    }
    free(active);
    return x;
}

static void write_data(const char *path, const double *x, size_t p, size_t n)
{
    FILE *f = fopen(path, "w");
    assert(f);
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < n; k++)
            fprintf(f, "%.17g%c", x[i * n + k], k + 1 < n ? ' ' : '\n');
    int bad = fclose(f);
    assert(!bad);
}

static void read_data(const char *path, double *x, size_t p, size_t n)
{
    FILE *f = fopen(path, "r");
    assert(f);
    for (size_t i = 0; i < p * n; i++) {
        char word[64], *end;
        int got = fscanf(f, "%63s", word);
        assert(got == 1);
        x[i] = strtod(word, &end);
        assert(*end == 0);
    }
    int bad = fclose(f);
    assert(!bad);
}

static void write_solution(const char *path, const struct glasso *g, size_t p)
{
    FILE *f = fopen(path, "wb");
    assert(f);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double t = glasso_entry(g, i, j);
            fwrite(&t, sizeof t, 1, f);
        }
    int bad = fclose(f);
    assert(!bad);
}

int main(int argc, char **argv)
{
    size_t p = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 60;
    double rho = argc > 3 ? strtod(argv[3], NULL) : 0.3;
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    unsigned rounds = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 3;
    double *x = make_data(p, n, seed);
    if (argc > 6 && getenv("GLASSO_READ"))
        read_data(argv[6], x, p, n);
    else if (argc > 6)
        write_data(argv[6], x, p, n);
    glasso_centre(x, p, n, (double)n);
    struct glasso_input in = {.count = p, .samples = n, .rows = x};
    const char *tolerance = getenv("GLASSO_TOLERANCE");
    struct glasso_options o = {.least = rho,
        .bare_diagonal = getenv("GLASSO_BARE") != NULL,
        .tolerance = tolerance ? strtod(tolerance, NULL) : 0.0};
    struct bench b = {0};
    struct glasso *g = NULL;
    for (unsigned k = 0; k < rounds; k++) {
        glasso_free(g);
        bench_begin(&b);
        enum err e = glasso_new(&g, &in, &o);
        if (!e)
            e = glasso_solve(g, rho);
        bench_end(&b);
        if (e) {
            fprintf(stderr, "%s\n", err_text(e));
            return 1;
        }
    }
    size_t largest = 0;
    enum err e = glasso_largest(g, rho, &largest);
    assert(!e);
    qsort(b.round, b.count, sizeof b.round[0], bench_compare);
    printf("glasso p %zu n %zu rho %g seed %llu: %.4f s (best %.4f) objective %.9f edges %llu "
           "components %zu largest %zu residual %.1e\n",
        p, n, rho, (unsigned long long)seed, b.round[b.count / 2], b.round[0],
        glasso_objective(g), (unsigned long long)glasso_edges(g), glasso_components(g), largest,
        glasso_residual(g));
    if (argc > 7)
        write_solution(argv[7], g, p);
    glasso_free(g);
    free(x);
    return 0;
}

#include "base/hash.h"
#include "base/rng.h"
#include "num/bipartite.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum {
    LEFTS = 60,
    RIGHTS = 20
};

struct bench {
    struct arena scratch;
    struct bipartite g;
    struct bipartite_work work;
};

static void begin(struct bench *b, size_t edges, size_t wedges)
{
    arena_init(&b->scratch, (size_t)1 << 28);
    assert_int_equal(bipartite_init(&b->g, edges, RIGHTS, &b->scratch), OK);
    assert_int_equal(bipartite_work_init(&b->work, RIGHTS, wedges, &b->scratch), OK);
}

static void edge(struct bench *b, unsigned left, uint32_t right)
{
    bipartite_add(&b->g, hash_u64(left + 1), (uint16_t)(left / 2), right);
}

/* Left nodes a, b, c and right nodes 1, 2, 7: a-1, a-2, b-1, b-2, c-7. */
static void small_graph_by_hand(void **state)
{
    (void)state;
    struct bench b;
    struct bipartite_shape s;
    begin(&b, 8, 1000);
    edge(&b, 0, 1);
    edge(&b, 1, 2);
    edge(&b, 0, 2);
    edge(&b, 2, 7);
    edge(&b, 1, 1);
    edge(&b, 0, 1); /* again */
    bipartite_close(&b.g, &b.work);
    bipartite_measure(&b.g, &b.work, &s);
    assert_int_equal(b.g.edges, 5);
    assert_true(fabs(s.lefts - 3) + fabs(s.rights - 3) < 1e-12);
    assert_true(fabs(s.mean_degree - 5.0 / 3.0) < 1e-12);
    /* Edges over right nodes: 2/5, 2/5, 1/5. Degrees: two of two, one of one. */
    assert_true(fabs(s.right_entropy - (0.8 * log2(2.5) + 0.2 * log2(5.0))) < 1e-12);
    assert_true(fabs(s.left_entropy - (2.0 / 3 * log2(1.5) + 1.0 / 3 * log2(3.0))) < 1e-12);
    assert_true(fabs(s.largest - 4.0 / 6.0) < 1e-12);
    assert_true(fabs(s.butterflies - 1.0) < 1e-12);
    /* Four paths of three edges, all of them on the one butterfly. */
    assert_true(fabs(s.clustering - 1.0) < 1e-12);
    arena_done(&b.scratch);
}

static void random_edges(bool has[LEFTS][RIGHTS], uint64_t seed, double density)
{
    struct rng r;
    rng_seed(&r, seed);
    for (unsigned l = 0; l < LEFTS; l++)
        for (unsigned k = 0; k < RIGHTS; k++)
            has[l][k] = rng_unit(&r) < density * (k % 5 ? 0.5 : 2.0);
}

/* Everything the slow way: butterflies over all pairs of pairs, components by spreading. */
static struct bipartite_shape by_brute_force(bool has[LEFTS][RIGHTS])
{
    struct bipartite_shape s = {0};
    int left[LEFTS] = {0}, right[RIGHTS] = {0}, part[LEFTS + RIGHTS];
    for (int l = 0; l < LEFTS; l++)
        for (int k = 0; k < RIGHTS; k++) {
            left[l] += has[l][k];
            right[k] += has[l][k];
        }
    for (int a = 0; a < LEFTS; a++)
        for (int b = 0; b < a; b++)
            for (int i = 0; i < RIGHTS; i++)
                for (int k = 0; k < i; k++)
                    s.butterflies += has[a][i] && has[a][k] && has[b][i] && has[b][k];
    double paths = 0.0;
    for (int l = 0; l < LEFTS; l++)
        for (int k = 0; k < RIGHTS; k++)
            if (has[l][k] && left[l] > 1) {
                int others = 0;
                for (int o = 0; o < LEFTS; o++)
                    others += o != l && has[o][k] && left[o] > 1;
                paths += (left[l] - 1.0) * others;
            }
    s.clustering = paths > 0.0 ? 4.0 * s.butterflies / paths : 0.0;
    for (int i = 0; i < LEFTS + RIGHTS; i++)
        part[i] = i;
    for (int round = 0; round < LEFTS + RIGHTS; round++)
        for (int l = 0; l < LEFTS; l++)
            for (int k = 0; k < RIGHTS; k++)
                if (has[l][k]) {
                    int least = part[l] < part[LEFTS + k] ? part[l] : part[LEFTS + k];
                    part[l] = part[LEFTS + k] = least;
                }
    int nodes = 0, most = 0;
    for (int i = 0; i < LEFTS + RIGHTS; i++) {
        nodes += i < LEFTS ? left[i] > 0 : right[i - LEFTS] > 0;
        int size = 0;
        for (int k = 0; k < LEFTS + RIGHTS; k++)
            size += part[k] == i && (k < LEFTS ? left[k] > 0 : right[k - LEFTS] > 0);
        most = size > most ? size : most;
    }
    s.largest = (double)most / nodes;
    return s;
}

static void agrees_with_brute_force(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        bool has[LEFTS][RIGHTS];
        struct bench b;
        struct bipartite_shape s;
        random_edges(has, seed, seed % 3 ? 0.02 * (double)(seed % 7) : 0.3);
        begin(&b, LEFTS * RIGHTS, 1 << 16);
        for (unsigned l = 0; l < LEFTS; l++)
            for (unsigned k = 0; k < RIGHTS; k++)
                if (has[l][k])
                    edge(&b, l, k);
        bipartite_close(&b.g, &b.work);
        bipartite_measure(&b.g, &b.work, &s);
        struct bipartite_shape slow = by_brute_force(has);
        if (b.g.edges) {
            assert_true(fabs(s.butterflies - slow.butterflies) < 1e-9);
            assert_true(fabs(s.clustering - slow.clustering) < 1e-9);
            assert_true(fabs(s.largest - slow.largest) < 1e-12);
        }
        arena_done(&b.scratch);
    }
}

/* Cosine between what the power iteration gives and the top eigenvector of the dense matrix,
 * found by squaring it eight times. */
static void principal_direction_is_the_top_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        bool has[LEFTS][RIGHTS];
        struct bench b;
        float vector[RIGHTS] = {0};
        double m[RIGHTS][RIGHTS] = {{0}};
        random_edges(has, seed, 0.2);
        begin(&b, LEFTS * RIGHTS, 16);
        for (unsigned l = 0; l < LEFTS; l++)
            for (unsigned k = 0; k < RIGHTS; k++)
                if (has[l][k])
                    edge(&b, l, k);
        bipartite_close(&b.g, &b.work);
        for (unsigned g = 0; g < LEFTS / 2; g++)
            for (int i = 0; i < RIGHTS; i++)
                for (int k = 0; k < RIGHTS; k++)
                    m[i][k] += (has[2 * g][i] + has[2 * g + 1][i]) *
                               (has[2 * g][k] + has[2 * g + 1][k]);
        for (int turn = 0; turn < 8; turn++) {
            double next[RIGHTS][RIGHTS] = {{0}}, largest = 0.0;
            for (int i = 0; i < RIGHTS; i++)
                for (int k = 0; k < RIGHTS; k++) {
                    for (int j = 0; j < RIGHTS; j++)
                        next[i][k] += m[i][j] * m[j][k];
                    largest = fmax(largest, next[i][k]);
                }
            for (int i = 0; i < RIGHTS; i++)
                for (int k = 0; k < RIGHTS; k++)
                    m[i][k] = next[i][k] / largest;
        }
        assert_in_range(bipartite_principal(&b.g, vector, 1e-9, 200, &b.work), 1, 200);
        double dot = 0.0, length = 0.0, own = 0.0;
        for (int i = 0; i < RIGHTS; i++) {
            dot += (double)vector[i] * m[i][0];
            length += m[i][0] * m[i][0];
            own += (double)vector[i] * (double)vector[i];
        }
        assert_true(fabs(own - 1.0) < 1e-5);
        assert_true(dot / sqrt(length) > 0.99999);
        arena_done(&b.scratch);
    }
}

static void order_of_edges_is_no_matter(void **state)
{
    (void)state;
    bool has[LEFTS][RIGHTS];
    struct bipartite_shape shapes[2];
    float vectors[2][RIGHTS] = {{0}};
    random_edges(has, 99, 0.2);
    for (int turned = 0; turned < 2; turned++) {
        struct bench b;
        begin(&b, LEFTS * RIGHTS, 300); /* so few wedges that left nodes are sampled */
        for (unsigned i = 0; i < LEFTS * RIGHTS; i++) {
            unsigned at = turned ? LEFTS * RIGHTS - 1 - i : i;
            if (has[at / RIGHTS][at % RIGHTS])
                edge(&b, at / RIGHTS, at % RIGHTS);
        }
        bipartite_close(&b.g, &b.work);
        bipartite_measure(&b.g, &b.work, &shapes[turned]);
        bipartite_principal(&b.g, vectors[turned], 1e-7, 30, &b.work);
        arena_done(&b.scratch);
    }
    assert_memory_equal(&shapes[0], &shapes[1], sizeof shapes[0]);
    assert_memory_equal(vectors[0], vectors[1], sizeof vectors[0]);
}

static void samples_estimate_butterflies(void **state)
{
    (void)state;
    struct bench b;
    struct bipartite_shape whole, part;
    double sum = 0.0;
    for (unsigned world = 0; world < 20; world++) {
        begin(&b, 40000, 1 << 20);
        for (unsigned i = 0; i < 40000; i++)
            edge(&b, i / 4 + world * 10000, (uint32_t)(hash_u64(i + world * 40000) % RIGHTS));
        bipartite_close(&b.g, &b.work);
        bipartite_measure(&b.g, &b.work, &whole);
        assert_int_equal(bipartite_work_init(&b.work, RIGHTS, 5000, &b.scratch), OK);
        bipartite_measure(&b.g, &b.work, &part);
        sum += part.butterflies / whole.butterflies / 20.0;
        arena_done(&b.scratch);
    }
    assert_true(fabs(sum - 1.0) < 0.05);
}

static void an_empty_graph_has_a_shape(void **state)
{
    (void)state;
    struct bench b;
    struct bipartite_shape s;
    float vector[RIGHTS] = {0};
    begin(&b, 0, 10);
    bipartite_close(&b.g, &b.work);
    bipartite_measure(&b.g, &b.work, &s);
    assert_true(s.edges < 1.0 && s.largest < 1.0 && !isnan(s.clustering));
    assert_int_equal(bipartite_principal(&b.g, vector, 1e-7, 30, &b.work), 0);
    arena_done(&b.scratch);
}

static const struct CMUnitTest tests[] = {
    SAYS("a small graph measures as by hand, and repeated edges are one", small_graph_by_hand),
    SAYS("butterflies, clustering and components agree with brute force",
        agrees_with_brute_force),
    SAYS("the principal direction is that of the dense matrix",
        principal_direction_is_the_top_one),
    SAYS("the order of edges makes no difference, not by a bit", order_of_edges_is_no_matter),
    SAYS("butterflies of a sample estimate those of the whole", samples_estimate_butterflies),
    SAYS("a graph without edges is measured, too", an_empty_graph_has_a_shape),
};
TEST_MAIN(tests)

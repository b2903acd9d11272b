// Causal grouped-query attention over packed examples, in tiles (after Dao et al. 2022), forward and backward. Scores
// are never written to the card's memory. A row holds all query heads, then all key heads, then all value heads.
//
// A block's threads stand in TILE rows of LANES. Tiles are chosen so that a block's shared memory stays below 48 KB.

struct Layout {
    int heads, kv_heads, dim;
    float scale, cap;
    // Tokens that a query sees at most, itself included; 0 is all.
    int window;
};

// An example's part: where the example starts, the tile's first token, behind its last, and the example's end.
struct Tile {
    int start, first, behind, end;
};

// Numbers of the output that a thread keeps: dim / LANES at most.
#define KEPT 8

__device__ inline int row_of(Layout at) { return (at.heads + 2 * at.kv_heads) * at.dim; }

__device__ inline bool is_seen(Layout at, int query, int key) {
    return key <= query && (at.window == 0 || key + at.window > query);
}

// Rows `first..` of one head into shared memory, zeros from `behind` on.
template <class T, int TILE>
__device__ void load(const T* rows, u64 stride, int column, int dim, int first, int behind, float* to) {
    for (int i = threadIdx.x; i < TILE * dim; i += THREADS) {
        int r = i / dim, c = i % dim;
        to[r * (dim + 1) + c] = first + r < behind ? wide(rows[(u64)(first + r) * stride + column + c]) : 0.0f;
    }
}

__device__ inline float dot(const float* a, const float* b, int dim) {
    float sum = 0.0f;
    for (int c = 0; c < dim; c++) sum += a[c] * b[c];
    return sum;
}

// out: (tokens, heads * dim); log_sums: (tokens, heads). A block a tile of queries and a head.
template <class T, int TILE>
__device__ void attention(const T* qkv, Layout at, const Tile* tiles, T* out, float* log_sums) {
    DYNAMIC_SHARED(shared);
    const int LANES = THREADS / TILE;
    int wide_row = at.dim + 1, r = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    float *q = shared, *kv = q + TILE * wide_row, *p = kv + TILE * wide_row + r * (TILE + 1);
    Tile tile = tiles[blockIdx.x];
    int head = blockIdx.y, kv_head = head / (at.heads / at.kv_heads);
    int key_column = (at.heads + kv_head) * at.dim, value_column = key_column + at.kv_heads * at.dim;
    int query = tile.first + r;
    load<T, TILE>(qkv, row_of(at), head * at.dim, at.dim, tile.first, tile.behind, q);
    float top = MINUS_INFINITY, sum = 0.0f, kept[KEPT];
    for (int i = 0; i < KEPT; i++) kept[i] = 0.0f;
    int left = at.window > 0 ? max(tile.start, tile.first + 1 - at.window) : tile.start;
    for (int key = left; key < tile.behind; key += TILE) {
        __syncthreads();
        load<T, TILE>(qkv, row_of(at), key_column, at.dim, key, tile.behind, kv);
        __syncthreads();
        for (int j = lane; j < TILE; j += LANES) {
            bool seen = query < tile.behind && is_seen(at, query, key + j);
            p[j] = seen ? capped(dot(q + r * wide_row, kv + j * wide_row, at.dim) * at.scale, at.cap)
                        : MINUS_INFINITY;
        }
        __syncthreads();
        float most = top;
        for (int j = 0; j < TILE; j++) most = fmaxf(most, p[j]);
        float keep = top == MINUS_INFINITY ? 0.0f : expf(top - most);
        __syncthreads();
        for (int j = lane; j < TILE; j += LANES) p[j] = p[j] == MINUS_INFINITY ? 0.0f : expf(p[j] - most);
        load<T, TILE>(qkv, row_of(at), value_column, at.dim, key, tile.behind, kv);
        __syncthreads();
        float part = 0.0f;
        for (int j = 0; j < TILE; j++) part += p[j];
        sum = sum * keep + part;
        top = most;
        for (int i = 0; i < KEPT; i++) {
            int c = lane + i * LANES;
            if (c >= at.dim) break;
            float value = kept[i] * keep;
            for (int j = 0; j < TILE; j++) value += p[j] * kv[j * wide_row + c];
            kept[i] = value;
        }
    }
    if (query >= tile.behind) return;
    u64 to = ((u64)query * at.heads + head) * at.dim;
    for (int i = 0; i < KEPT; i++) {
        int c = lane + i * LANES;
        if (c < at.dim) store(&out[to + c], kept[i] / sum);
    }
    if (lane == 0) log_sums[(u64)query * at.heads + head] = top + logf(sum);
}

// The sum of grad_out * out of each query head: a thread a token and head.
template <class T>
__device__ void attention_along(const T* out, const T* grad_out, int dim, u64 count, float* along) {
    u64 i = place();
    if (i >= count) return;
    float sum = 0.0f;
    for (int c = 0; c < dim; c++) sum += wide(out[i * dim + c]) * wide(grad_out[i * dim + c]);
    along[i] = sum;
}

// A pair's share of the query's attention, and the gradient of its score before scale and cap.
__device__ inline void pair(Layout at, const float* q, const float* k, const float* v, const float* g, float log_sum,
                            float along, float* share, float* grad) {
    float score = capped(dot(q, k, at.dim) * at.scale, at.cap);
    *share = expf(score - log_sum);
    *grad = *share * (dot(g, v, at.dim) - along) * at.scale * cap_slope(score, at.cap);
}

// Gradients of queries: a block a tile of queries and a head.
template <class T, int TILE>
__device__ void attention_queries(const T* qkv, const T* grad_out, const float* log_sums, const float* along,
                                  Layout at, const Tile* tiles, T* grad_qkv) {
    DYNAMIC_SHARED(shared);
    const int LANES = THREADS / TILE;
    int wide_row = at.dim + 1, r = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    float *q = shared, *g = q + TILE * wide_row, *k = g + TILE * wide_row, *v = k + TILE * wide_row;
    float* d = v + TILE * wide_row + r * (TILE + 1);
    Tile tile = tiles[blockIdx.x];
    int head = blockIdx.y, kv_head = head / (at.heads / at.kv_heads);
    int key_column = (at.heads + kv_head) * at.dim, value_column = key_column + at.kv_heads * at.dim;
    int query = tile.first + r;
    bool there = query < tile.behind;
    u64 of_query = (u64)query * at.heads + head;
    float log_sum = there ? log_sums[of_query] : 0.0f, own = there ? along[of_query] : 0.0f;
    load<T, TILE>(qkv, row_of(at), head * at.dim, at.dim, tile.first, tile.behind, q);
    load<T, TILE>(grad_out, at.heads * at.dim, head * at.dim, at.dim, tile.first, tile.behind, g);
    float kept[KEPT];
    for (int i = 0; i < KEPT; i++) kept[i] = 0.0f;
    int left = at.window > 0 ? max(tile.start, tile.first + 1 - at.window) : tile.start;
    for (int key = left; key < tile.behind; key += TILE) {
        __syncthreads();
        load<T, TILE>(qkv, row_of(at), key_column, at.dim, key, tile.behind, k);
        load<T, TILE>(qkv, row_of(at), value_column, at.dim, key, tile.behind, v);
        __syncthreads();
        for (int j = lane; j < TILE; j += LANES) {
            float share, grad = 0.0f;
            if (there && is_seen(at, query, key + j))
                pair(at, q + r * wide_row, k + j * wide_row, v + j * wide_row, g + r * wide_row, log_sum, own, &share,
                     &grad);
            d[j] = grad;
        }
        __syncthreads();
        for (int i = 0; i < KEPT; i++) {
            int c = lane + i * LANES;
            if (c >= at.dim) break;
            for (int j = 0; j < TILE; j++) kept[i] += d[j] * k[j * wide_row + c];
        }
    }
    if (!there) return;
    for (int i = 0; i < KEPT; i++) {
        int c = lane + i * LANES;
        if (c < at.dim) store(&grad_qkv[(u64)query * row_of(at) + head * at.dim + c], kept[i]);
    }
}

// Gradients of keys and values, summed over the query heads that share them: a block a tile of keys and a key head.
template <class T, int TILE>
__device__ void attention_keys(const T* qkv, const T* grad_out, const float* log_sums, const float* along, Layout at,
                               const Tile* tiles, T* grad_qkv) {
    DYNAMIC_SHARED(shared);
    const int LANES = THREADS / TILE;
    int wide_row = at.dim + 1, r = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    float *q = shared, *g = q + TILE * wide_row, *k = g + TILE * wide_row, *v = k + TILE * wide_row;
    float* p = v + TILE * wide_row + r * (TILE + 1);
    float* d = p + TILE * (TILE + 1);
    Tile tile = tiles[blockIdx.x];
    int kv_head = blockIdx.y, group = at.heads / at.kv_heads, key = tile.first + r;
    int key_column = (at.heads + kv_head) * at.dim, value_column = key_column + at.kv_heads * at.dim;
    load<T, TILE>(qkv, row_of(at), key_column, at.dim, tile.first, tile.behind, k);
    load<T, TILE>(qkv, row_of(at), value_column, at.dim, tile.first, tile.behind, v);
    float keys[KEPT], values[KEPT];
    for (int i = 0; i < KEPT; i++) keys[i] = values[i] = 0.0f;
    int last = at.window > 0 ? min(tile.end, tile.behind - 1 + at.window) : tile.end;
    for (int head = kv_head * group; head < (kv_head + 1) * group; head++) {
        for (int query = tile.first; query < last; query += TILE) {
            __syncthreads();
            load<T, TILE>(qkv, row_of(at), head * at.dim, at.dim, query, last, q);
            load<T, TILE>(grad_out, at.heads * at.dim, head * at.dim, at.dim, query, last, g);
            __syncthreads();
            for (int i = lane; i < TILE; i += LANES) {
                float share = 0.0f, grad = 0.0f;
                if (key < tile.behind && query + i < last && is_seen(at, query + i, key)) {
                    u64 of_query = (u64)(query + i) * at.heads + head;
                    pair(at, q + i * wide_row, k + r * wide_row, v + r * wide_row, g + i * wide_row,
                         log_sums[of_query], along[of_query], &share, &grad);
                }
                p[i] = share;
                d[i] = grad;
            }
            __syncthreads();
            for (int n = 0; n < KEPT; n++) {
                int c = lane + n * LANES;
                if (c >= at.dim) break;
                for (int i = 0; i < TILE; i++) {
                    keys[n] += d[i] * q[i * wide_row + c];
                    values[n] += p[i] * g[i * wide_row + c];
                }
            }
        }
    }
    if (key >= tile.behind) return;
    u64 to = (u64)key * row_of(at);
    for (int n = 0; n < KEPT; n++) {
        int c = lane + n * LANES;
        if (c >= at.dim) break;
        store(&grad_qkv[to + key_column + c], keys[n]);
        store(&grad_qkv[to + value_column + c], values[n]);
    }
}

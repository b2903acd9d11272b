// Norms, rotation, gated units, dropout, sums: one pass over memory each.

// A block a row: y = x / sqrt(mean(x^2) + epsilon) * weight.
template <class T>
__device__ void rms_norm(const T* x, const float* weight, float epsilon, int width, T* y, float* inverse) {
    __shared__ float shared[THREADS];
    x += (u64)blockIdx.x * width;
    y += (u64)blockIdx.x * width;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < width; i += THREADS) sum += wide(x[i]) * wide(x[i]);
    float scale = 1.0f / sqrtf(block_sum(sum, shared) / (float)width + epsilon);
    for (int i = threadIdx.x; i < width; i += THREADS) store(&y[i], wide(x[i]) * scale * weight[i]);
    if (threadIdx.x == 0) inverse[blockIdx.x] = scale;
}

template <class T>
__device__ void rms_norm_recompute(const T* x, const float* weight, const float* inverse, int width, u64 count, T* y) {
    u64 i = place();
    if (i < count) store(&y[i], wide(x[i]) * inverse[i / width] * weight[i % width]);
}

// A block a row: grad_x = (sum +) inverse * (g - x * inverse^2 * mean(g x)) with g = weight * grad_y.
template <class T>
__device__ void rms_norm_backward(const T* x, const float* weight, const float* inverse, const T* grad_y,
                                  const float* sum, int has_sum, int width, float* grad_x) {
    __shared__ float shared[THREADS];
    u64 first = (u64)blockIdx.x * width;
    float along = 0.0f;
    for (int i = threadIdx.x; i < width; i += THREADS) along += wide(x[first + i]) * wide(grad_y[first + i]) * weight[i];
    float scale = inverse[blockIdx.x];
    along = block_sum(along, shared) / (float)width * scale * scale * scale;
    for (int i = threadIdx.x; i < width; i += THREADS) {
        float grad = wide(grad_y[first + i]) * weight[i] * scale - wide(x[first + i]) * along;
        grad_x[first + i] = has_sum ? sum[first + i] + grad : grad;
    }
}

// The first `heads` heads of each row turned; sign -1 turns back.
template <class T>
__device__ void rotate(const T* rows, const float* cos, const float* sin, int row, int heads, int dim, int half,
                       float sign, u64 count, T* y) {
    u64 i = place();
    if (i >= count) return;
    u64 token = i / row;
    int column = (int)(i % row);
    int within = column % dim;
    if (column >= heads * dim || within >= 2 * half) {
        y[i] = rows[i];
        return;
    }
    int pair = within < half ? within : within - half;
    float c = cos[token * half + pair], s = sin[token * half + pair] * sign;
    float x = wide(rows[i]);
    if (within < half)
        store(&y[i], x * c - wide(rows[i + half]) * s);
    else
        store(&y[i], x * c + wide(rows[i - half]) * s);
}

// An activation and its slope: silu, or gelu by its tanh form.
__device__ inline void activated(float gate, int gelu, float* value, float* slope) {
    if (gelu) {
        float t = tanhf(0.7978845608f * (gate + 0.044715f * gate * gate * gate));
        float inner = 0.7978845608f * (1.0f + 3.0f * 0.044715f * gate * gate);
        *value = 0.5f * gate * (1.0f + t);
        *slope = 0.5f * (1.0f + t) + 0.5f * gate * (1.0f - t * t) * inner;
    } else {
        float s = 1.0f / (1.0f + expf(-gate));
        *value = gate * s;
        *slope = s + gate * s * (1.0f - s);
    }
}

// y = activation(gate) * up; gate and up stand side by side, `width` each.
template <class T>
__device__ void glu(const T* gate_up, int width, int gelu, u64 count, T* y) {
    u64 i = place();
    if (i >= count) return;
    u64 at = i / width * 2 * width + i % width;
    float value, slope;
    activated(wide(gate_up[at]), gelu, &value, &slope);
    store(&y[i], value * wide(gate_up[at + width]));
}

template <class T>
__device__ void glu_backward(const T* gate_up, const T* grad_y, int width, int gelu, u64 count, T* grad) {
    u64 i = place();
    if (i >= count) return;
    u64 at = i / width * 2 * width + i % width;
    float value, slope, g = wide(grad_y[i]);
    activated(wide(gate_up[at]), gelu, &value, &slope);
    store(&grad[at], g * wide(gate_up[at + width]) * slope);
    store(&grad[at + width], g * value);
}

// A product in the step's number format plus an f32 one.
template <class T>
__device__ void join(const T* base, const float* low, u64 count, T* y) {
    u64 i = place();
    if (i < count) store(&y[i], wide(base[i]) + low[i]);
}

// SplitMix64's finaliser (Steele et al. 2014).
__device__ inline u64 mix(u64 z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

// The same draws as on the processor: a number is dropped by the hash of its row and column.
extern "C" __global__ void dropout(const float* x, u64 seed, u32 threshold, float scale, int width, u64 count,
                                   float* y) {
    u64 i = place();
    if (i >= count) return;
    u32 hash = (u32)mix(seed ^ (i / width)) ^ ((u32)(i % width) * 0x9e3779b9u);
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    hash ^= hash >> 16;
    y[i] = hash < threshold ? 0.0f : x[i] * scale;
}

// A block a row of logits: (negative log-likelihood, entropy, is the likeliest), and the gradient by the logits.
template <class T>
__device__ void losses(const T* logits, const u32* targets, int vocabulary, float scale, int backward, float cap,
                       float* rows, T* grad) {
    __shared__ float shared[THREADS];
    u64 first = (u64)blockIdx.x * vocabulary;
    u32 target = targets[blockIdx.x];
    float top = MINUS_INFINITY;
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) top = fmaxf(top, capped(wide(logits[first + i]), cap));
    top = block_max(top, shared);
    float sum = 0.0f, moment = 0.0f;
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
        float less = capped(wide(logits[first + i]), cap) - top;
        sum += expf(less);
        moment += expf(less) * less;
    }
    sum = block_sum(sum, shared);
    moment = block_sum(moment, shared);
    if (threadIdx.x == 0) {
        float at_target = capped(wide(logits[first + target]), cap);
        rows[3 * blockIdx.x] = logf(sum) - (at_target - top);
        rows[3 * blockIdx.x + 1] = logf(sum) - moment / sum;
        rows[3 * blockIdx.x + 2] = at_target >= top ? 1.0f : 0.0f;
    }
    if (!backward) return;
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
        float x = capped(wide(logits[first + i]), cap);
        float slope = expf(x - top) * (scale / sum) - (i == target ? scale : 0.0f);
        store(&grad[first + i], slope * cap_slope(x, cap));
    }
}

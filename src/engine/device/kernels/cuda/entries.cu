// The kernels by name, for one number format; attention for each size of tile. What is compiled ends with `ENTRIES(T, name)`.

#define ENTRIES(T, name)                                                                                              \
    extern "C" __global__ void rms_norm_##name(const T* x, const float* weight, float epsilon, int width, T* y,       \
                                               float* inverse) {                                                      \
        rms_norm(x, weight, epsilon, width, y, inverse);                                                              \
    }                                                                                                                 \
    extern "C" __global__ void rms_norm_again_##name(const T* x, const float* weight, const float* inverse,           \
                                                     int width, u64 count, T* y) {                                    \
        rms_norm_recompute(x, weight, inverse, width, count, y);                                                          \
    }                                                                                                                 \
    extern "C" __global__ void rms_norm_backward_##name(const T* x, const float* weight, const float* inverse,        \
                                                        const T* grad_y, const float* sum, int has_sum, int width,    \
                                                        float* grad_x) {                                              \
        rms_norm_backward(x, weight, inverse, grad_y, sum, has_sum, width, grad_x);                                   \
    }                                                                                                                 \
    extern "C" __global__ void rotate_##name(const T* rows, const float* cos, const float* sin, int row, int heads,   \
                                             int dim, int half, float sign, u64 count, T* y) {                        \
        rotate(rows, cos, sin, row, heads, dim, half, sign, count, y);                                                \
    }                                                                                                                 \
    extern "C" __global__ void glu_##name(const T* gate_up, int width, int gelu, u64 count, T* y) {                   \
        glu(gate_up, width, gelu, count, y);                                                                          \
    }                                                                                                                 \
    extern "C" __global__ void glu_backward_##name(const T* gate_up, const T* grad_y, int width, int gelu,            \
                                                   u64 count, T* grad) {                                              \
        glu_backward(gate_up, grad_y, width, gelu, count, grad);                                                      \
    }                                                                                                                 \
    extern "C" __global__ void join_##name(const T* base, const float* low, u64 count, T* y) {                        \
        join(base, low, count, y);                                                                                    \
    }                                                                                                                 \
    extern "C" __global__ void losses_##name(const T* logits, const u32* targets, int vocabulary, float scale,        \
                                             int backward, float cap, float* rows, T* grad) {                         \
        losses(logits, targets, vocabulary, scale, backward, cap, rows, grad);                                        \
    }                                                                                                                 \
    extern "C" __global__ void attention_along_##name(const T* out, const T* grad_out, int dim, u64 count,            \
                                                      float* along) {                                                 \
        attention_along(out, grad_out, dim, count, along);                                                            \
    }                                                                                                                 \
    ATTENTION(T, name, 32)                                                                                            \
    ATTENTION(T, name, 16)                                                                                            \
    ATTENTION(T, name, 8)

#define ATTENTION(T, name, tile)                                                                                      \
    extern "C" __global__ void attention_##name##_##tile(const T* qkv, int heads, int kv_heads, int dim, float scale, \
                                                         float cap, int window, const int* tiles, T* out,             \
                                                         float* log_sums) {                                           \
        Layout at = {heads, kv_heads, dim, scale, cap, window};                                                       \
        attention<T, tile>(qkv, at, (const Tile*)tiles, out, log_sums);                                               \
    }                                                                                                                 \
    extern "C" __global__ void attention_queries_##name##_##tile(                                                     \
        const T* qkv, const T* grad_out, const float* log_sums, const float* along, int heads, int kv_heads, int dim, \
        float scale, float cap, int window, const int* tiles, T* grad_qkv) {                                          \
        Layout at = {heads, kv_heads, dim, scale, cap, window};                                                       \
        attention_queries<T, tile>(qkv, grad_out, log_sums, along, at, (const Tile*)tiles, grad_qkv);                 \
    }                                                                                                                 \
    extern "C" __global__ void attention_keys_##name##_##tile(                                                        \
        const T* qkv, const T* grad_out, const float* log_sums, const float* along, int heads, int kv_heads, int dim, \
        float scale, float cap, int window, const int* tiles, T* grad_qkv) {                                          \
        Layout at = {heads, kv_heads, dim, scale, cap, window};                                                       \
        attention_keys<T, tile>(qkv, grad_out, log_sums, along, at, (const Tile*)tiles, grad_qkv);                    \
    }


// What all kernels share: number formats without any header, and sums over a block.
//
// Every kernel sums in an order of its own, so that results repeat bit for bit; none uses atomics.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define THREADS 256
#define MINUS_INFINITY __uint_as_float(0xff800000u)

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(name) extern __shared__ float name[]
#endif

struct bf16 {
    u16 bits;
};

struct f16 {
    u16 bits;
};

#ifndef HALF_CONVERSIONS
__device__ inline float half_to_float(u16 bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}

__device__ inline u16 float_to_half(float x) {
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#endif

__device__ inline float wide(float x) { return x; }

__device__ inline float wide(bf16 x) { return __uint_as_float((u32)x.bits << 16); }

__device__ inline float wide(f16 x) { return half_to_float(x.bits); }

__device__ inline void store(float* to, float x) { *to = x; }

// To the nearest, ties to even.
__device__ inline void store(bf16* to, float x) {
    u32 bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        to->bits = (u16)((bits >> 16) | 0x40u);
        return;
    }
    to->bits = (u16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ inline void store(f16* to, float x) { to->bits = float_to_half(x); }

// The sum of all threads' values, known to all of them.
__device__ inline float block_sum(float value, float* shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    float total = shared[0];
    __syncthreads();
    return total;
}

__device__ inline float block_max(float value, float* shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] = fmaxf(shared[threadIdx.x], shared[threadIdx.x + half]);
        __syncthreads();
    }
    float top = shared[0];
    __syncthreads();
    return top;
}

// The number that a thread works on, where each works on one.
__device__ inline u64 place() { return (u64)blockIdx.x * THREADS + threadIdx.x; }

__device__ inline float capped(float x, float cap) { return cap > 0.0f ? cap * tanhf(x / cap) : x; }

// The slope of the cap at what it gave.
__device__ inline float cap_slope(float x, float cap) { return cap > 0.0f ? 1.0f - (x / cap) * (x / cap) : 1.0f; }

//! Generation, on tiny models.

mod kernels;

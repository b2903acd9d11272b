//! Generation: the key/value cache, the sampler, many sequences at once.

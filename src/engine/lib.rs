//! Models, training and generation over candle. Never sees a terminal, a session, or (but for `hub`) the network.

pub mod adapter;
pub mod device;
pub mod disk;
pub mod embed;
pub mod export;
pub mod generate;
pub mod hub;
pub mod kernels;
pub mod model;
pub mod priority;
pub mod train;

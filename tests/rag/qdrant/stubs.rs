//! The rest of the protocol, which nobody here asks for.

/// A service whose named methods are refused.
macro_rules! refusing {
    ($service:path { $($own:tt)* } $($name:ident($request:ty) -> $reply:ty;)*) => {
        #[tonic::async_trait]
        impl $service for crate::rag::qdrant::Shared {
            $($own)*

            $(
                async fn $name(
                    &self,
                    _: tonic::Request<$request>,
                ) -> Result<tonic::Response<$reply>, tonic::Status> {
                    Err(tonic::Status::unimplemented(stringify!($name)))
                }
            )*
        }
    };
}

pub(super) use refusing;

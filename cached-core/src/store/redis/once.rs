//! The connection to a node of a cluster that sends nothing twice which changes something.
//!
//! The crate sends a command once more when its connection is lost, with the same bytes. The server
//! may have carried it out already, and others may have written since: then the older value is back,
//! and what was invalidated is valid again. Redirections are no such thing: what is redirected was
//! not carried out.

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster_async::Connect;
use ::redis::{
    Arg, AsyncConnectionConfig, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, Value,
};

#[derive(Clone)]
pub(super) struct Once(MultiplexedConnection);

impl Connect for Once {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        let connecting = MultiplexedConnection::connect_with_config(info, config);
        Box::pin(async move { connecting.await.map(Once) })
    }
}

impl ConnectionLike for Once {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let sent = self.0.req_packed_command(command).await;
            match may_be_repeated(command) {
                true => sent,
                false => sent.map_err(last),
            }
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let sent = self.0.req_packed_commands(pipeline, offset, count).await;
            sent.map_err(last)
        })
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

/// Whether a command changes nothing. A read of entries is not repeated either: its failure is the
/// sign that another server may answer from now on, which may have lost what was invalidated.
fn may_be_repeated(command: &Cmd) -> bool {
    let reads: [&[u8]; 4] = [b"CLUSTER", b"INFO", b"DBSIZE", b"PING"];
    let name = command.args_iter().next();
    matches!(name, Some(Arg::Simple(name)) if reads.contains(&name))
}

/// An error after which the crate sends nothing again, where the server may have done what it was
/// told.
fn last(error: RedisError) -> RedisError {
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => {
            let what = "the connection was lost, with what was to be changed or before it";
            RedisError::from((ErrorKind::Client, what, error.to_string()))
        }
        _ => error,
    }
}

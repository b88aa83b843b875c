//! The state of an instance.

use super::DecodeError;
use super::declare::{Coded, fields, variants};
use super::read::Reader;
use crate::instance::{Completed, Instance, Join, LoopState, More, Queue, Row, Scope, Slab, State, Token, TokenState};

fields!(Instance {
    key,
    state,
    business_key,
    caller,
    started_by,
    caught,
    now,
    scopes,
    tokens,
    waits,
    created,
    upstream_joins,
    correlation,
});

variants!(State {
    0 = Created,
    1 = Active,
    2 = Completed,
    3 = Failed { code, message },
    4 = Cancelled { reason },
});

fields!(Scope {
    kind,
    phase,
    node,
    owner,
    parent,
    round,
    token_count,
    first_token,
    last_token,
    first_wait,
    variables,
    more,
});

fields!(More { completed, joins, repeat });
fields!(Completed { node, scope; 3: after });
fields!(LoopState { total, started, completed, terminated, items, results });
fields!(Join { node, upstream, queues, present, tokens, received });
fields!(Queue { first, last });
fields!(Token { serial, node, flow, scope, inside, state, compensates_for, first_wait, previous, next });

variants!(TokenState {
    0 = Moving,
    1 = Waiting,
    2 = Joined { position },
});

impl<T: Coded> Coded for Slab<T> {
    fn write(&self, to: &mut Vec<u8>) {
        self.first.write(to);
        self.rest.write(to);
        self.free.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { first: Coded::read(from)?, rest: Coded::read(from)?, free: Coded::read(from)? })
    }
}

impl<T: Coded> Coded for Row<T> {
    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Free(next) => {
                to.push(0);
                next.write(to);
            }
            Self::Used(row) => {
                to.push(1);
                row.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => u32::read(from).map(Self::Free),
            1 => T::read(from).map(Self::Used),
            _ => Err(from.damaged("a row neither free nor used")),
        }
    }
}

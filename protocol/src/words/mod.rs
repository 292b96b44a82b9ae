//! Looking for words in texts: the same in messages, and in what channels say of themselves.
//!
//! | file | room |
//! |---|---|
//! | `fold` | texts as they are compared |
//! | `terms` | what is looked for, and grams |

mod fold;
mod terms;

pub(crate) use fold::fold;
pub(crate) use terms::{Gram, Terms, grams};
